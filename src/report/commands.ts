import { cap, clean } from './clean.ts';

/** One line of instructions. A command can be pasted as it is, however long; it may hold line feeds (a here-document). */
export interface Instruction {
  readonly is: 'command' | 'comment' | 'prose';
  readonly text: string;
}

const PROGRAMS = new Set(
  'amtool argocd aws base64 cat cd chronyc cilium crictl curl dig dmesg docker echo export flux for git grep helm iscsiadm journalctl jq kubectl kubeadm kustomize longhornctl ls lsblk mc mount mv nc nslookup openssl ping podman promtool pvcreate rm s3cmd scp sed ssh sudo systemctl tar thanos thanos-doctor timedatectl until wget while yq'.split(
    ' ',
  ),
);
const ARGUMENT = /\s-{1,2}\w|[/=|<>$;]|\s[\w-]+\.[\w-]+/;

/** Takes instructions apart: commands to paste, their comments, and sentences. Empty lines and code fences are left out. */
export function instructions(byHand: string): readonly Instruction[] {
  const found: Instruction[] = [];
  const lines = clean(byHand).split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const line = withoutNumber((lines[at] ?? '').trim().replace(/^\$ /, ''));
    if (line === '' || /^`{3,}\w*$/.test(line)) continue;
    if (line.startsWith('#')) {
      found.push({ is: 'comment', text: line.replace(/^#+\s*/, '') });
      continue;
    }
    if (!isCommand(line)) {
      const last = found.at(-1);
      if (last?.is === 'prose' && goesOn(last.text, line, lines[at - 1])) {
        found[found.length - 1] = { is: 'prose', text: `${last.text} ${line}` };
      } else found.push({ is: 'prose', text: line });
      continue;
    }
    const end = lastLineOf(lines, at);
    found.push({ is: 'command', text: [line, ...lines.slice(at + 1, end + 1)].join('\n') });
    at = end;
  }
  return found;
}

/** A command of which no line is longer than the cap: broken at a blank outside quotes, with a backslash. */
export function shortLines(command: string): string {
  return command.includes('<<') ? command : command.split('\n').flatMap(brokenLine).join('\n');
}

/** Whether a line is the rest of the sentence in the line before it. */
function goesOn(before: string, line: string, lineBefore: string | undefined): boolean {
  if ((lineBefore ?? '').trim() === '' || /[.:;!?]$/.test(before) || /^(?:\d+[.)]|[-*])\s/.test(line)) return false;
  // A sentence that ends in what is to be typed has no full stop.
  const [, typed = ''] = /: (\S+)[^:]*$/.exec(before) ?? [];
  return !(PROGRAMS.has(typed.replace(/;$/, '')) && /^[A-Z]/.test(line));
}

/** A command loses the number of its step: what is pasted begins with the command. */
function withoutNumber(line: string): string {
  const rest = line.replace(/^\d+[.)]\s+/, '');
  return isCommand(rest) ? rest : line;
}

function isCommand(line: string): boolean {
  const words = line.split(/\s+/).filter(word => !/^[A-Z_]+=\S*$/.test(word));
  if (!PROGRAMS.has(words[0] ?? '')) return false;
  if (/[a-z)`]\.$/.test(line)) return false;
  const isSentence = /[.:,]$/.test(line) || words.length > 6;
  return !isSentence || ARGUMENT.test(line);
}

/** The last line of the command that begins there: it goes on after a backslash, and to the end of a here-document. */
function lastLineOf(lines: readonly string[], start: number): number {
  const word = /<<-?\s*['"]?(\w+)['"]?/.exec(lines[start] ?? '')?.[1];
  if (word !== undefined) {
    const end = lines.findIndex((line, at) => at > start && line.trim() === word);
    if (end > 0) return end;
  }
  let end = start;
  while (/\\\s*$/.test(lines[end] ?? '') && end + 1 < lines.length) end += 1;
  return end;
}

const COMMAND_CAP = 390;

function brokenLine(line: string): readonly string[] {
  if (line.length <= COMMAND_CAP) return [line];
  const blanks: number[] = [];
  let inSingle = false;
  let inDouble = false;
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at];
    if (character === '\\' && !inSingle) at += 1;
    else if (character === "'" && !inDouble) inSingle = !inSingle;
    else if (character === '"' && !inSingle) inDouble = !inDouble;
    else if (character === ' ' && !inSingle && !inDouble) blanks.push(at);
  }
  const broken: string[] = [];
  let start = 0;
  let last = -1;
  for (const blank of [...blanks, line.length]) {
    if (blank - start > COMMAND_CAP && last > start) {
      broken.push(`${line.slice(start, last)} \\`);
      start = last + 1;
    }
    last = blank;
  }
  return [...broken, cap(line.slice(start))];
}
