import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { type Context, listOf } from '../collector.ts';
import { collector as backendsCollector } from '../derived/kubernetes.service-backends.ts';
import { gapOf, gapped, known, mapKnown, withUnknownFields } from '../gaps.ts';
import { list, text, textOrNumber } from '../objects.ts';

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const DEFAULT_ANNOTATION = 'ingressclass.kubernetes.io/is-default-class';

const listed = listOf({
  id: 'kubernetes.ingresses',
  about: 'Ingresses with their class and what stands behind them.',
  group: 'networking.k8s.io',
  resource: 'ingresses',
  kind: 'Ingress',
  fields: {
    /** By its own field, its annotation, or the default class; '' for none. */
    class: 'str',
    /** The class is named in the annotation only. */
    classByAnnotation: 'bool',
    controller: 'str',
    classExists: 'bool',
    hosts: ['str'],
    addresses: ['str'],
    backends: [
      {
        host: 'str',
        path: 'str',
        service: 'str',
        port: 'str',
        serviceExists: 'bool',
        portExists: 'bool',
        ready: 'int',
      },
    ],
    tls: [{ hosts: ['str'], secret: 'str' }],
  },
  row({ metadata, spec, status }) {
    const annotated = text(metadata.annotations?.[CLASS_ANNOTATION]);
    const named = text(spec?.ingressClassName);
    return {
      class: named || annotated,
      classByAnnotation: named === '' && annotated !== '',
      controller: '',
      classExists: false,
      hosts: list(spec?.rules)
        .map(rule => text(rule?.host))
        .filter(host => host !== ''),
      addresses: list(status?.loadBalancer?.ingress).map(entry => text(entry?.ip) || text(entry?.hostname)),
      backends: [
        ...(spec?.defaultBackend ? [backendOf('', '', spec.defaultBackend)] : []),
        ...list(spec?.rules).flatMap(rule =>
          list(rule?.http?.paths).map(path => backendOf(text(rule?.host), text(path?.path), path?.backend)),
        ),
      ],
      tls: list(spec?.tls).map(entry => ({ hosts: list(entry?.hosts).map(text), secret: text(entry?.secretName) })),
    };
  },
});

function backendOf(host: string, path: string, raw: RawObject) {
  const { name, port } = raw?.service ?? {};
  return {
    host,
    path,
    service: text(name),
    port: text(port?.name) || textOrNumber(port?.number),
    serviceExists: false,
    portExists: false,
    ready: 0,
  };
}

type Ingress = ShapeOf<typeof listed.shape>[number];

export const collector = {
  ...listed,
  needs: [...listed.needs, { verbs: ['list'], group: 'networking.k8s.io', resource: 'ingressclasses' }],
  async collect(context: Context): Promise<readonly Ingress[]> {
    const [rows, classes, backends] = await Promise.all([
      listed.collect(context),
      gapped(context.source.list('networking.k8s.io', 'ingressclasses')),
      gapped(context.get(backendsCollector)),
    ]);
    const classGap = gapOf(classes);
    const backendGap = gapOf(backends);
    return mapKnown(rows, row => {
      const withClass = classGap ? row : classed(row, classes.items);
      const whole = backendGap ? withClass : backed(withClass, known(backends));
      const unknown: (keyof Ingress & string)[] = [];
      if (classGap) unknown.push('controller', 'classExists', ...(row.class === '' ? (['class'] as const) : []));
      if (backendGap) unknown.push('backends');
      const gap = classGap ?? backendGap;
      if (!gap) return whole;
      const rest = Object.fromEntries(Object.entries(whole).filter(([field]) => !unknown.includes(field as never)));
      return withUnknownFields<Ingress>(rest as Partial<Ingress>, gap, unknown);
    });
  },
};

function classed(row: Ingress, classes: readonly RawObject[]): Ingress {
  const byDefault = classes.find(one => one?.metadata?.annotations?.[DEFAULT_ANNOTATION] === 'true');
  const name = row.class || text(byDefault?.metadata?.name);
  const found = classes.find(one => text(one?.metadata?.name) === name);
  return { ...row, class: name, classExists: found !== undefined, controller: text(found?.spec?.controller) };
}

type Backends = ShapeOf<typeof backendsCollector.shape>;

function backed(row: Ingress, services: Backends): Ingress {
  const backends = row.backends.map(backend => {
    const found = services.find(one => one.service.namespace === row.namespace && one.service.name === backend.service);
    return {
      ...backend,
      serviceExists: found !== undefined,
      portExists: found?.ports.some(port => port.name === backend.port || String(port.port) === backend.port) ?? false,
      ready: found?.ready ?? 0,
    };
  });
  return { ...row, backends };
}
