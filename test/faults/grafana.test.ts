import { describe, test } from 'vitest';
import { component } from './pods.ts';
import type { World } from './recorded-world.ts';
import { expectFound } from './scenario.ts';

/** The datasources that Grafana is given, as its charts write them. */
function datasources(world: World, ...entries: readonly string[]): void {
  world.list('core/v1/configmaps', items => {
    for (const item of items.filter(one => /grafana-datasource/.test(one.metadata.name))) {
      const [key = ''] = Object.keys(item.data);
      item.data[key] = `apiVersion: 1\ndatasources:\n${entries.join('')}`;
    }
  });
}

const source = (name: string, url: string, isDefault: boolean) =>
  `- name: ${name}\n  type: prometheus\n  access: proxy\n  url: ${url}\n  isDefault: ${isDefault}\n  jsonData:\n    timeInterval: 30s\n`;

describe('the datasources of Grafana', () => {
  test('one points to a Service that does not exist', async () => {
    await expectFound(({ hub }) => {
      datasources(hub, source('Thanos', 'http://thanos-querier.monitoring:10902', true));
      return { roots: [{ rule: 'datasource-points-nowhere', cluster: hub.cluster }] };
    });
  });

  test('two are the default', async () => {
    await expectFound(({ hub }) => {
      const [namespace, name] = component(hub, 'query').name.split('/');
      const url = `http://${name}.${namespace}:9090`;
      datasources(hub, source('Thanos', url, true), source('Prometheus', url, true));
      return { roots: [{ rule: 'grafana-two-default-datasources', cluster: hub.cluster }] };
    });
  });
});
