import { beforeAll, describe, expect, test } from 'vitest';
import { canHaveTerminal, type Program, program, type TerminalSession } from '../cli/program.ts';
import { rollout } from '../mutable-server/controllers.ts';
import { RULE, type Site, site, textOf } from './site.ts';

let doctor: Program;
beforeAll(async () => {
  doctor = await program();
}, 120_000);

const QUESTION = '[q]uit';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds));

function fix({ environment }: Site): TerminalSession {
  return doctor.onTerminal(['fix', RULE], { env: environment });
}

const questions = (session: TerminalSession) => session.screen().split(QUESTION).length - 1;

if (!canHaveTerminal) console.log('left out: the dialogue on a terminal, which needs `script` of util-linux');

describe.skipIf(!canHaveTerminal)('the dialogue on a terminal', () => {
  test('y applies what was shown', async () => {
    const here = await site();
    const session = fix(here);
    await session.shows(QUESTION);
    expect(session.screen()).toMatch(/\+ store\.yml: config\.insecure: true/);
    expect(here.server.writes).toEqual([]);
    session.type('y\r');
    expect(await session.result).toMatchObject({ code: 0 });
    expect(session.screen()).toMatch(/fixed: /);
    expect(textOf(here.server)).toContain('insecure: true');
  });

  test('each reading of the clusters shows how far it is, and the plan stands below where it was', async () => {
    const here = await site();
    const session = fix(here);
    await session.shows('requests');
    await session.shows(QUESTION);
    const shown = session.screen();
    const taken = shown.lastIndexOf('\u001b[0J');
    expect(taken).toBeGreaterThan(shown.lastIndexOf(' requests'));
    expect(taken).toBeLessThan(shown.indexOf('config.insecure: true'));
    session.type('n\r');
    expect(await session.result).toMatchObject({ code: 1 });
  });

  test('a reading that is quiet shows nothing', async () => {
    const here = await site();
    const session = doctor.onTerminal(['fix', RULE, '--quiet'], { env: here.environment });
    await session.shows(QUESTION);
    expect(session.screen()).not.toContain(' requests');
    session.type('n\r');
    await session.result;
  });

  test.each([
    ['n', 'n\r', 1],
    ['an empty line', '\r', 1],
    ['the end of the input', CTRL_D, 4],
    ['Ctrl-C', CTRL_C, 130],
  ])('%s changes nothing', async (_, typed, code) => {
    const here = await site();
    const session = fix(here);
    await session.shows(QUESTION);
    session.type(typed);
    expect(await session.result, session.screen()).toMatchObject({ code });
    expect(here.server.writes).toEqual([]);
  });

  test('d shows the plan again, what is no answer is asked again', async () => {
    const here = await site();
    const session = fix(here);
    const shown = () => session.screen().split('config.insecure: true').length - 1;
    await session.shows(QUESTION);
    const before = shown();
    session.type('d\r');
    await session.shows(QUESTION);
    expect(shown()).toBe(2 * before);
    session.type('maybe\r');
    await session.shows('y, n, d, s or q');
    await session.shows(QUESTION);
    session.type('n\r');
    expect(await session.result).toMatchObject({ code: 1 });
    expect(here.server.writes).toEqual([]);
  });

  test.each([
    ['s', 's\r', 1],
    ['q', 'q\r', 1],
    ['y, and n for the other one', 'y\r', 2],
  ])('of two, %s', async (_, typed, asked) => {
    const here = await site({ stores: ['store', 'second'] });
    const session = doctor.onTerminal(['fix', RULE], { env: here.environment });
    await session.shows(QUESTION);
    session.type(typed);
    if (asked === 2) {
      await session.shows(QUESTION);
      session.type('n\r');
    }
    expect(await session.result, session.screen()).toMatchObject({ code: 1 });
    expect(questions(session)).toBe(asked);
    const changed = here.server.writes.filter(write => write.startsWith('PATCH') && write.includes('/secrets/'));
    expect(changed).toHaveLength(asked === 2 ? 1 : 0);
  });

  test.each([
    ['lines', 'y\r\ny\r\n'],
    ['letters', 'y'],
  ])('%s that were typed before the question are no answer', async (_, early) => {
    const here = await site();
    const session = fix(here);
    session.type(early);
    await session.shows(QUESTION);
    await pause(300);
    expect(here.server.writes).toEqual([]);
    session.type('\r');
    expect(await session.result, session.screen()).toMatchObject({ code: 1 });
    expect(here.server.writes).toEqual([]);
  });

  test('an answer to the first question is none to the second', async () => {
    const here = await site({ stores: ['store', 'second'] });
    const session = doctor.onTerminal(['fix', RULE], { env: here.environment });
    await session.shows(QUESTION);
    session.type('n\ry\ry\r');
    await session.shows(QUESTION);
    await pause(300);
    session.type('\r');
    expect(await session.result).toMatchObject({ code: 1 });
    expect(here.server.writes).toEqual([]);
  });

  test('Ctrl-C in the middle of a fix ends it soon, and it can be gone on with', async () => {
    const here = await site({ controllers: [] });
    const session = fix(here);
    await session.shows(QUESTION);
    session.type('y\r');
    await session.shows('waiting: all pods');
    const pressed = performance.now();
    session.type(CTRL_C);
    expect(await session.result, session.screen()).toMatchObject({ code: 130 });
    expect(performance.now() - pressed).toBeLessThan(4500);
    expect(session.screen()).toContain('fix --resume');
    rollout(here.server, undefined, here.server.find('StatefulSet', 'ns', 'store'));
    const resumed = await doctor.run(['fix', '--resume', '--yes'], here.environment);
    expect(resumed.stdout + resumed.stderr).toMatch(/^fixed: /m);
  });

  test('a procedure asks before each step, and an empty line, Ctrl-D and Ctrl-C end it', async () => {
    for (const [typed, code] of [
      ['\r', 4],
      [CTRL_D, 4],
      [CTRL_C, 130],
    ] as const) {
      const here = await site();
      const session = doctor.onTerminal(['recover', 'full-outage'], { env: here.environment });
      session.type('d\rd\rd\rf\r');
      await session.shows('Is it done?');
      await session.shows('[q]uit');
      await pause(200);
      session.type(typed);
      expect(await session.result, session.screen()).toMatchObject({ code });
      expect(session.screen()).toContain('stopped at step 1');
      expect(here.server.writes).toEqual([]);
    }
  });
});
