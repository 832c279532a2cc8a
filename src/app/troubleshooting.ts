import type { Rule } from '../model/rule.ts';
import { templateText } from '../report/placeholders.ts';
import { type GuideHeading, guideChapter } from './guide-coverage.ts';

const FOLDERS: Readonly<Record<string, string>> = {
  access: 'Access',
  kubernetes: 'Pods, workloads and nodes',
  network: 'Network',
  storage: 'Storage',
  'object-storage': 'Object storage',
  prometheus: 'Prometheus',
  thanos: 'Thanos',
  fleet: 'The fleet',
  alerting: 'Alerting and Grafana',
};

const GUIDE = "The operators' guide, heading by heading";

/** `docs/TROUBLESHOOTING.md`: the troubleshooting guide that the rules are, in words. */
export function troubleshootingGuide(rules: readonly Rule[], guide: readonly GuideHeading[]): string {
  const titles = new Map(rules.map(rule => [rule.id, rule.title]));
  const known = Object.keys(FOLDERS);
  const folders = [...new Set(rules.map(rule => rule.folder))].sort((a, b) => known.indexOf(a) - known.indexOf(b));
  const lines = [
    '# Troubleshooting',
    '',
    `What thanos-doctor looks for: ${rules.length} rules. Written by \`scripts/generate.mjs\` from \`rules/\`; \`thanos-doctor explain RULE\` says the same on a terminal.`,
    '',
    ...folders.map(folder => `- [${FOLDERS[folder] ?? folder}](#${anchor(FOLDERS[folder] ?? folder)})`),
    `- [${GUIDE}](#${anchor(GUIDE)})`,
    '',
  ];
  for (const folder of folders) {
    lines.push(`## ${FOLDERS[folder] ?? folder}`, '');
    for (const rule of rules.filter(candidate => candidate.folder === folder)) lines.push(...ruleLines(rule, titles));
  }
  lines.push(`## ${GUIDE}`, '', ...guideChapter(guide));
  return lines.join('\n');
}

function ruleLines(rule: Rule, titles: ReadonlyMap<string, string>): readonly string[] {
  const evidence = [...new Set(Object.values(rule.evidence).map(use => use.from))];
  const causes = [...new Set(rule.causedBy.map(link => link.rule))];
  return [
    `### ${rule.id}`,
    '',
    `**${rule.title}.** ${rule.severity === 'info' ? 'Worth knowing' : rule.severity === 'critical' ? 'Critical' : 'Warning'}${rule.guide ? ` · guide: \`${rule.guide}\`` : ''}`,
    '',
    rule.symptom.replace(/\s+/g, ' '),
    '',
    `Seen in ${evidence.map(id => `[\`${id}\`](evidence.md#${id.replaceAll('.', '')})`).join(', ')}.`,
    '',
    ...(rule.thresholds.length > 0
      ? [`Thresholds: ${rule.thresholds.map(({ name, text }) => `\`${name}\` ${text}`).join(', ')}.`, '']
      : []),
    ...(rule.why ? [`Not obvious: ${rule.why}`, ''] : []),
    ...(causes.length > 0
      ? [
          '<details><summary>May be behind it</summary>',
          '',
          ...causes.map(id => `- [\`${id}\`](#${id}) ${titles.get(id) ?? ''}`),
          '',
          '</details>',
          '',
        ]
      : []),
    'What to do:',
    '',
    '```text',
    templateText(rule.fix.byHand, rule).trim(),
    '```',
    '',
  ];
}

function anchor(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}
