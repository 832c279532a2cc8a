/** Why an endpoint of a monitor finds no port: '' where it finds one. */
export type PortFault =
  | ''
  | 'no-such-port-name'
  | 'number-instead-of-name'
  | 'container-port-name'
  | 'other-case'
  | 'unnamed-port'
  | 'no-such-target-port';

export interface PortQuestion {
  /** Name of the Service's port, which the operator uses as a regular expression. */
  readonly port: string;
  /** Name or number of a container's port. */
  readonly targetPort: string;
}

export interface PortOffer {
  /** Names of the ports of the Services (for a PodMonitor: of the containers). A port without a name is ''. */
  readonly names: readonly string[];
  /** Container ports, by name and by number as text. */
  readonly containerPorts: readonly string[];
}

/** Compares what a monitor asks for with what is there, as the operator's relabelling does: names match as a whole. */
export function portFault(question: PortQuestion, offer: PortOffer): PortFault {
  const { port, targetPort } = question;
  if (port !== '') {
    if (offer.names.some(name => matchesWhole(port, name))) return '';
    if (/^[0-9]+$/.test(port)) return 'number-instead-of-name';
    if (offer.names.some(name => name.toLowerCase() === port.toLowerCase())) return 'other-case';
    if (offer.names.length > 0 && offer.names.every(name => name === '')) return 'unnamed-port';
    return offer.containerPorts.includes(port) ? 'container-port-name' : 'no-such-port-name';
  }
  if (targetPort === '' || offer.containerPorts.includes(targetPort)) return '';
  return 'no-such-target-port';
}

/**
 * Whether a pattern matches a name as a whole. An expression that JavaScript does not know (Go's differ in rare forms)
 * counts as a match: it is no proof of a fault.
 */
export function matchesWhole(pattern: string, name: string): boolean {
  if (pattern === name) return true;
  // Names of ports are short and so are these patterns; one that nests repetitions is not tried.
  if (!/[.*+?|[({\\^$]/.test(pattern)) return false;
  if (pattern.length > 100 || /[*+}]\)*[*+{]/.test(pattern)) return true;
  try {
    return new RegExp(`^(?:${pattern})$`).test(name);
  } catch {
    return true;
  }
}
