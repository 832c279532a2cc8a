import { explainLogs, type FileExplained } from '../../app/explain-logs.ts';
import { UserError } from '../../model/user-error.ts';
import { logMeanings } from '../../report/logs.ts';
import { EXIT } from '../exit-codes.ts';
import type { GlobalOptions, ReadingOptions } from '../options.ts';
import { fleetOf, openClusters } from '../read-clusters.ts';
import { terminalOf } from '../terminal.ts';

export interface LogsArguments extends ReadingOptions, GlobalOptions {
  readonly files: readonly string[];
  readonly container: string | undefined;
  readonly component: string;
  readonly format: 'text' | 'json';
}

interface Read {
  readonly logs: readonly FileExplained[];
  readonly unread: readonly { readonly file: string; readonly detail: string }[];
}

/** Standard output gets `hits[]` of all logs as JSON, or what they mean in words. Exit code 1: something means trouble. */
export async function runLogs(options: LogsArguments): Promise<number> {
  const component = options.component === 'any' ? '' : options.component;
  const ofPods = readsPods(options);
  const { logs, unread } = ofPods
    ? await podLogs(options, component)
    : {
        logs: await explainLogs(options.files.length > 0 ? options.files : ['-'], component, process.stdin),
        unread: [],
      };
  if (options.format === 'json') {
    const hits = logs.flatMap(log => log.hits.map(hit => ({ file: log.file, ...hit })));
    const files = logs.map(({ file, lines, from, to }) => ({ file, lines, from, to }));
    process.stdout.write(`${JSON.stringify({ logs: files, unread, hits }, null, 2)}\n`);
  } else {
    const { width } = terminalOf(process.stdout, options.color);
    if (logs.length > 0) process.stdout.write(logMeanings(logs, { width, all: options.verbose }));
  }
  for (const { file, detail } of unread) process.stderr.write(`${file}: not read, ${detail}\n`);
  if (logs.some(log => log.hits.some(hit => !hit.marker))) return EXIT.problems;
  // What came to nothing, such as the output of a kubectl that failed, says nothing good.
  const isEmpty = !ofPods && logs.some(({ lines }) => lines === 0);
  return unread.length > 0 || isEmpty ? EXIT.unknown : EXIT.healthy;
}

const POD = /^pods?\/([^/]+)$/;

/** `pod/NAME` is a pod where clusters are named, or where no file can be meant. */
function readsPods({
  files,
  context,
  bundle,
  namespace,
  fleet,
  kubeconfig,
  container,
  ...rest
}: LogsArguments): boolean {
  const names = [context.length > 0, bundle, namespace.length > 0, fleet, kubeconfig, container, rest['all-contexts']];
  const isNamed = names.some(Boolean);
  const pods = files.filter(file => POD.test(file));
  if (isNamed && (files.length === 0 || pods.length < files.length))
    throw new UserError('logs of clusters are asked for as pod/NAME', 'files are read without --context and --bundle');
  return pods.length > 0 && pods.length === files.length;
}

async function podLogs(options: LogsArguments, component: string): Promise<Read> {
  if (options.namespace.length > 1) throw new UserError('logs takes one --namespace');
  const { explainPodLogs } = await import('../../app/explain-pod-logs.ts');
  const namespace = options.namespace[0] ?? '';
  const reading = {
    ...options,
    // A bundle is read as it is, and searched for the namespace.
    namespace: options.bundle === undefined ? options.namespace : [],
    concurrency: 4,
    logs: true,
    secrets: false,
    'port-forward': false,
  };
  const sources = await openClusters(reading, fleetOf(reading), new AbortController().signal);
  const read: { logs: FileExplained[]; unread: { file: string; detail: string }[] } = { logs: [], unread: [] };
  try {
    for (const file of options.files) {
      const pod = POD.exec(file)![1]!;
      const { logs, unread } = await explainPodLogs(
        sources,
        { pod, namespace, container: options.container ?? '' },
        component,
      );
      read.logs.push(...logs);
      read.unread.push(...unread);
    }
    return read;
  } finally {
    await Promise.all(sources.map(source => source.close()));
  }
}
