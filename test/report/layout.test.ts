import { describe, expect, it } from 'vitest';
import { instructions, shortLines } from '../../src/report/commands.ts';
import { factText } from '../../src/report/facts.ts';
import { essence } from '../../src/report/log-lines.ts';
import { ageText, clockFor, withShownTimes } from '../../src/report/times.ts';
import { chopped, displayWidth, pad, withoutMiddle, wrap, wrapTo } from '../../src/report/wrap.ts';
import { FILE, TAKEN_AT, TERMINAL } from './samples.ts';

describe('ages', () => {
  it.each([
    [0, '0 s'],
    [35, '35 s'],
    [60, '1 min'],
    [15_240, '4 h 14 min'],
    [7200, '2 h'],
    [86_400 * 3 + 4 * 3600 + 59, '3 d 4 h'],
    [-30, '0 s'],
  ])('%d s is %s', (seconds, text) => {
    expect(ageText(seconds)).toBe(text);
  });
});

describe('times', () => {
  it('are local on a terminal and UTC in files', () => {
    expect(clockFor(TERMINAL).since('2026-11-23T03:58:10Z', TAKEN_AT)).toBe('12:58 (4 h 14 min)');
    expect(clockFor(FILE).since('2026-11-23T03:58:10Z', TAKEN_AT)).toBe('03:58 (4 h 14 min)');
    expect(clockFor({ ...TERMINAL, terminal: false }).zone).toBe('UTC');
  });

  it('have their day where it is another one', () => {
    expect(clockFor(FILE).second('2026-11-22T23:59:59.5Z', TAKEN_AT)).toBe('2026-11-22 23:59:59');
    expect(clockFor(TERMINAL).second('2026-11-22T23:59:59Z', TAKEN_AT)).toBe('08:59:59');
  });

  it('are nothing where nothing is known', () => {
    expect(clockFor(FILE).since('', TAKEN_AT)).toBe('');
    expect(clockFor(FILE).since('yesterday', TAKEN_AT)).toBe('');
    expect(clockFor(FILE).since(TAKEN_AT, '')).toBe('2026-11-23 08:12 (age not known)');
  });

  it('are UTC, by name, in a zone that is not known here', () => {
    const clock = clockFor({ ...TERMINAL, timeZone: 'Mars/Olympus' });
    expect([clock.zone, clock.day(TAKEN_AT)]).toEqual(['UTC', '2026-11-23 08:12']);
  });

  it('are shown inside of prose', () => {
    const clock = clockFor(TERMINAL);
    expect(withShownTimes('from 2026-11-23T09:58:00Z on', clock, TAKEN_AT)).toBe('from 18:58 on');
    expect(withShownTimes('at 2026-11-21T23:58:00.123+09:00', clock, TAKEN_AT)).toBe('at 2026-11-21 23:58');
  });
});

describe('wrap', () => {
  it('breaks at blanks only', () => {
    const name = 'prometheus-kube-prometheus-stack-prometheus-0/thanos-sidecar';
    expect(wrap(`the pod ${name} fails`, 20)).toEqual(['the pod', name, 'fails']);
  });

  it('never breaks what stands between back-ticks', () => {
    expect(wrap('type `kubectl -n a get pods` now', 16)).toEqual(['type', '`kubectl -n a get pods`', 'now']);
  });

  it('knows that some characters take two columns', () => {
    expect(displayWidth('한국어')).toBe(6);
    expect(pad('한국', 6)).toBe('한국  ');
    expect(wrap('버킷이 존재하지 않음', 10)).toEqual(['버킷이', '존재하지', '않음']);
    expect(wrap('오류가발생했습니다', 8)).toEqual(['오류가발', '생했습니', '다']);
  });

  it('says that there was more', () => {
    expect(wrapTo('one two three four five six', 10, 2, '…')).toEqual(['one two', 'three …']);
    expect(wrapTo('', 10, 2, '…')).toEqual([]);
  });
});

describe('log lines', () => {
  const line =
    'ts=2026-11-23T08:11:52Z caller=shipper.go:263 level=warn msg="uploading failed" err="check exists: Get \\"https://s3\\": refused"';

  it('are reduced to their error', () => {
    expect(essence(line)).toBe('check exists: Get "https://s3": refused');
    expect(essence('ts=2026-11-23T08:11:52Z caller=a.go:1 level=info msg="starting"')).toBe('msg="starting"');
    expect(essence('panic: runtime error')).toBe('panic: runtime error');
  });

  it('lose their middle, not their end', () => {
    expect(withoutMiddle('begin of a line that is too long, and its end', 30, '…')).toBe(
      'begin of … long, and its end',
    );
  });

  it('are broken anywhere if need be', () => {
    expect(chopped('abcdefghij klm', 5)).toEqual(['abcde', 'fghij', 'klm']);
  });
});

describe('facts', () => {
  it('are on one line', () => {
    const clock = clockFor(FILE);
    const text = (value: Parameters<typeof factText>[0]) => factText(value, clock, TAKEN_AT);
    expect(text(['a', 'b'])).toBe('a, b');
    expect(text([])).toBe('none');
    expect(text(false)).toBe('false');
    expect(text({ free: 3, of: ['x\ny'] })).toBe('free: 3, of: x y');
    expect(text('2026-11-23T08:00:00Z')).toBe('08:00 (12 min)');
    expect(text(Array.from({ length: 20 }, (_, at) => at))).toBe('0, 1, 2, 3, 4, 5, 6, 7 and 12 more');
  });
});

describe('instructions', () => {
  it('tell commands from sentences', () => {
    const byHand = [
      'In Secret x set `insecure: true`.',
      '1. kubectl is needed for this.',
      '```sh',
      '$ kubectl -n a get pods   # all of them',
      '```',
      '# read at start only',
      'kubectl apply the Secret, do not delete it first.',
      'mc mb ALIAS/BUCKET',
      'until kubectl get ns a; do sleep 1; done',
      '2. kubectl -n a logs p -c c | grep x',
      "nc -zv HOST PORT from the hub's network; `wget http://HOST` proves nothing.",
    ].join('\n');
    expect(instructions(byHand).map(({ is }) => is)).toEqual([
      'prose',
      'prose',
      'command',
      'comment',
      'prose',
      'command',
      'command',
      'command',
      'prose',
    ]);
    expect(instructions(byHand)[7]?.text).toBe('kubectl -n a logs p -c c | grep x');
    expect(instructions(byHand)[2]?.text).toBe('kubectl -n a get pods   # all of them');
  });

  it('are sentences, wherever their lines end', () => {
    const typed = 'On node N: timedatectl; chronyc tracking\nStart chrony.\nThe origin of the\nQuery is told.';
    expect(instructions(typed).map(({ text }) => text)).toEqual([
      'On node N: timedatectl; chronyc tracking',
      'Start chrony.',
      'The origin of the Query is told.',
    ]);
    expect(instructions('Write this, or\ngive that.\nThen go\n\nNext\n- one').map(({ text }) => text)).toEqual([
      'Write this, or give that.',
      'Then go',
      'Next',
      '- one',
    ]);
  });

  it('keep a command whole that goes over several lines', () => {
    const continued = 'kubectl get pods \\\n  -n a\nthen look.';
    expect(instructions(continued).map(({ text }) => text)).toEqual(['kubectl get pods \\\n  -n a', 'then look.']);
    const document = "kubectl apply -f - <<'EOF'\nkind: Pod\n# a comment\nEOF\nthen look.";
    expect(instructions(document).map(({ is }) => is)).toEqual(['command', 'prose']);
  });

  it('are broken outside of quotes', () => {
    const command = `kubectl get pods ${Array.from({ length: 60 }, (_, at) => `name-${at}`).join(' ')} -o '${'a '.repeat(40)}'`;
    const lines = shortLines(command).split('\n');
    expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(400);
    expect(lines.join('').replaceAll(' \\', ' ')).toBe(command);
  });
});
