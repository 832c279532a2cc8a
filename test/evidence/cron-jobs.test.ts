import { describe, expect, test } from 'vitest';
import { collector as cronJobs } from '../../src/evidence/collectors/kubernetes.cron-jobs.ts';
import { collector as autoscalers } from '../../src/evidence/collectors/kubernetes.horizontal-pod-autoscalers.ts';
import { latestTimes } from '../../src/evidence/cron-schedules.ts';
import { collect } from './fake-source.ts';

/** A Monday. */
const NOON = Date.parse('2026-05-04T12:00:00Z');

function times(schedule: string, timeZone = '', base = 0): readonly string[] {
  return latestTimes(schedule, timeZone, NOON, base).map(time => new Date(time).toISOString().slice(0, 16));
}

describe('the latest two times of a schedule', () => {
  test.each([
    ['* * * * *', ['2026-05-04T12:00', '2026-05-04T11:59']],
    ['*/20 * * * *', ['2026-05-04T12:00', '2026-05-04T11:40']],
    ['5-59/30 * * * *', ['2026-05-04T11:35', '2026-05-04T11:05']],
    ['10/20 11 * * *', ['2026-05-04T11:50', '2026-05-04T11:30']],
    ['0 3 * * *', ['2026-05-04T03:00', '2026-05-03T03:00']],
    ['0 3 * * mon-fri', ['2026-05-04T03:00', '2026-05-01T03:00']],
    ['0 0 * * 7', ['2026-05-03T00:00', '2026-04-26T00:00']],
    ['0 0 1 * *', ['2026-05-01T00:00', '2026-04-01T00:00']],
    ['0 0 1 jan,jul ?', ['2026-01-01T00:00', '2025-07-01T00:00']],
    ['0 0 13 * fri', ['2026-05-01T00:00', '2026-04-24T00:00']],
    ['0 0 29 2 *', ['2024-02-29T00:00']],
    ['@hourly', ['2026-05-04T12:00', '2026-05-04T11:00']],
    ['@weekly', ['2026-05-03T00:00', '2026-04-26T00:00']],
  ])('%s', (schedule, expected) => {
    expect(times(schedule)).toEqual(expected);
  });

  test('a time zone moves them, and so does its summer time', () => {
    expect(times('30 8 * * *', 'Asia/Seoul')).toEqual(['2026-05-03T23:30', '2026-05-02T23:30']);
    expect(times('TZ=Asia/Seoul 30 8 * * *')).toEqual(times('30 8 * * *', 'Asia/Seoul'));
    expect(times('0 12 29 3,4 *', 'Europe/Berlin')).toEqual(['2026-04-29T10:00', '2026-03-29T10:00']);
    expect(times('0 12 28 1,3 *', 'Europe/Berlin')).toEqual(['2026-03-28T11:00', '2026-01-28T11:00']);
  });

  test('every so often counts from the last run', () => {
    expect(times('@every 90m', '', NOON - 4 * 3600_000)).toEqual(['2026-05-04T11:00', '2026-05-04T09:30']);
    expect(times('@every 90m', '', NOON - 60_000)).toEqual([]);
  });

  test.each(['', '* * * *', '61 * * * *', '*/0 * * * *', '5-1 * * * *', 'x * * * *', '1-2-3 * * * *', '0 0 31 2 *'])(
    'none of %j',
    schedule => {
      expect(times(schedule)).toEqual([]);
    },
  );

  test('none in a zone that nobody knows', () => {
    expect(times('* * * * *', 'Mars/Olympus')).toEqual([]);
  });
});

describe('a CronJob', () => {
  const cronJob = async (spec: object, status: object = {}, created = '2026-01-01T00:00:00Z') => {
    const metadata = { namespace: 'm', name: 'c', creationTimestamp: created };
    const object = { metadata, spec: { schedule: '0 * * * *', ...spec }, status };
    const [row] = await collect(cronJobs, { objects: { 'batch/cronjobs': [object] } });
    return row!;
  };

  test('has missed when two times went by', async () => {
    const row = await cronJob({}, { lastScheduleTime: '2026-05-04T09:00:00Z' });
    expect(row).toMatchObject({ missed: true, due: '2026-05-04T11:00:00Z', period: 3600 });
  });

  test('has not while the second time is a moment ago, or within the deadline', async () => {
    expect(await cronJob({}, { lastScheduleTime: '2026-05-04T10:00:00Z' })).toMatchObject({ missed: false });
    const patient = await cronJob({ startingDeadlineSeconds: 7200 }, { lastScheduleTime: '2026-05-04T09:00:00Z' });
    expect(patient).toMatchObject({ missed: false, deadline: 7200 });
  });

  test('has not when it was made since', async () => {
    expect(await cronJob({}, {}, '2026-05-04T10:30:00Z')).toMatchObject({ missed: false });
    expect(await cronJob({}, {}, '2026-05-04T09:30:00Z')).toMatchObject({ missed: true });
  });

  test('has not when the next run came after one was missed', async () => {
    expect(await cronJob({}, { lastScheduleTime: '2026-05-04T11:00:00Z' })).toMatchObject({ missed: false });
  });
});

test('an autoscaler tells each metric and what it aims at', async () => {
  const object = {
    metadata: { namespace: 'm', name: 'h' },
    spec: {
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        { type: 'Pods', pods: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '10' } } },
      ],
    },
    status: { currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 97 } } }] },
  };
  const [row] = await collect(autoscalers, { objects: { 'autoscaling/horizontalpodautoscalers': [object] } });
  expect(row!.metrics).toEqual(['cpu: 97 % of 80 %', 'queue: not known of 10']);
});
