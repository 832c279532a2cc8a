import { type DiagnosisResult, diagnose } from '../checks/diagnose.ts';
import { COLLECTORS } from '../evidence/catalogue.ts';
import type { Expectations } from '../evidence/collector.ts';
import type { CompiledSignatures } from '../evidence/logs/signatures.ts';
import { type FleetEvidence, openEvidence } from '../evidence/store.ts';
import { type Gap, GapSignal } from '../model/gap.ts';
import type { Rule } from '../model/rule.ts';
import type { Source } from '../model/source.ts';
import type { Progress } from './diagnose.ts';

/** What a diagnosis is made with. */
export interface DiagnosisSetting {
  readonly rules: readonly Rule[];
  readonly signatures: CompiledSignatures;
  readonly expectations: Expectations;
  readonly concurrency: number;
  /** Tells how far the reading is. */
  readonly onRead?: (event: Progress) => void;
  /** Called before each reading of the clusters, with their names; what it returns is told how far that one is. */
  readonly beginReading?: (clusters: readonly string[]) => Reading;
}

/** What shows one reading of the clusters. */
export interface Reading {
  readonly onProgress: (event: Progress) => void;
  end(): void;
}

export interface FreshDiagnosis {
  readonly result: DiagnosisResult;
  readonly evidence: FleetEvidence;
}

/** Diagnoses on evidence that is fetched now, and keeps the evidence for what is decided next. */
export async function diagnoseAfresh(
  sources: readonly Source[],
  setting: DiagnosisSetting,
  rules: readonly Rule[] = setting.rules,
): Promise<FreshDiagnosis> {
  const reading = setting.beginReading?.(sources.map(({ cluster }) => cluster));
  try {
    return await read(sources, reading ? { ...setting, onRead: reading.onProgress } : setting, rules);
  } finally {
    reading?.end();
  }
}

async function read(
  sources: readonly Source[],
  setting: DiagnosisSetting,
  rules: readonly Rule[],
): Promise<FreshDiagnosis> {
  const unreachable = new Map<string, Gap>();
  await Promise.all(
    sources.map(async source => {
      try {
        await source.server();
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
        setting.onRead?.({ is: 'unreachable', cluster: source.cluster, detail: error.gap.detail });
        unreachable.set(source.cluster, { ...error.gap, evidence: 'kubernetes.server', notLookedAt: false });
      }
    }),
  );
  const { expectations, signatures, concurrency, onRead } = setting;
  const tell = (is: 'reading' | 'read', cluster: string, id: string) => {
    const requests = sources.find(source => source.cluster === cluster)?.usage().requests ?? 0;
    onRead?.({ is, cluster, evidence: id, requests });
  };
  const evidence = openEvidence(sources, unreachable, {
    collectors: COLLECTORS,
    expectations,
    signatures,
    concurrency,
    onCollect: (cluster, id) => tell('reading', cluster, id),
    onCollected: (cluster, id) => tell('read', cluster, id),
  });
  const clusters = evidence.clusters.filter(store => !unreachable.has(store.cluster));
  return { result: await diagnose({ rules, clusters, fleet: evidence.fleet, unreachable }), evidence };
}

/** The findings now, on sources that are opened for it and closed again. */
export async function diagnoseWith(
  setting: DiagnosisSetting & { readonly open: () => Promise<readonly Source[]> },
): Promise<DiagnosisResult['findings']> {
  const sources = await setting.open();
  try {
    return (await diagnoseAfresh(sources, setting)).result.findings;
  } finally {
    await Promise.all(sources.map(source => source.close()));
  }
}
