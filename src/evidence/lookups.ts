/** The name that a log line says could not be looked up; '' where it does not say. */
export function nameIn(line: string): string {
  const match =
    /lookup (?:SRV records )?\\*"?([^ "\\]+)/.exec(line) ??
    /resolution against server \S+ for ([^ :"\\]+)/.exec(line) ??
    /Failed to resolve ([^ :"\\]+)/.exec(line);
  return (match?.[1] ?? '').replace(/\.$/, '');
}

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Whether a name is one of the cluster itself: it ends in `.svc` or `.svc.<zone>`, or is a Service's name as its own
 * namespace may write it, alone, with a pod's name before it, or with the namespace behind it.
 */
export function isClusterName(name: string, namespace: string, services: readonly Named[]): boolean {
  if (name === '') return false;
  if (/\.svc(?:\.|$)/.test(name)) return true;
  const bare = name.replace(/^(?:_[^.]+\.){2}/, '');
  const parts = bare.split('.');
  if (parts.length === 1) return true;
  return services.some(
    service =>
      (parts.at(-1) === service.name && service.namespace === namespace) ||
      (parts.at(-1) === service.namespace && parts.at(-2) === service.name),
  );
}

/** The longest suffix of whole labels, two at least, that all hosts have; the host itself of one; '' for none. */
export function commonZone(hosts: readonly string[]): string {
  const [first = '', ...others] = hosts;
  if (others.length === 0) return first;
  const labels = first.split('.');
  for (let start = 0; start <= labels.length - 2; start += 1) {
    const suffix = labels.slice(start).join('.');
    if (others.every(host => host === suffix || host.endsWith(`.${suffix}`))) return suffix;
  }
  return '';
}
