import { GapSignal } from '../model/gap.ts';
import type { Step, Target, Writer } from '../model/remediation.ts';
import type { Begun } from './begun.ts';

/** Leaves an Event `ThanosDoctorFixed` on the object that was changed, where that is allowed. It decides nothing. */
export async function announce(writer: Writer, begun: Begun, steps: readonly Step[], detail: string): Promise<void> {
  const { target } = steps.find(step => step.do !== 'wait' && step.do !== 'back-up') ?? steps[0]!;
  const namespace = target.namespace || 'default';
  // One for a plan: after a kill between it and the audit log there is no second one.
  const event: Target = {
    group: '',
    resource: 'events',
    kind: 'Event',
    namespace,
    name: `${target.name}.${begun.id.toLowerCase()}`,
  };
  try {
    if (!(await writer.allowed({ verb: 'create', target: { ...event, name: '' } }))) return;
    // An Event stands on the workload, not on its scale.
    const { subresource: _scale, ...whole } = target;
    const object = await writer.get(whole);
    if (!object) return;
    const now = writer.now();
    await writer.create(
      event,
      {
        kind: 'Event',
        metadata: { name: event.name, namespace },
        involvedObject: {
          apiVersion: object.apiVersion,
          kind: object.kind ?? target.kind,
          name: target.name,
          uid: object.metadata.uid,
          ...(target.namespace ? { namespace: target.namespace } : {}),
        },
        type: 'Normal',
        reason: begun.mode === 'undo' ? 'ThanosDoctorUndone' : 'ThanosDoctorFixed',
        message:
          `${begun.plan.title} (${begun.id})${begun.plan.rule ? `, for ${begun.plan.rule}` : ''}: ${detail}`.slice(
            0,
            1000,
          ),
        source: { component: 'thanos-doctor' },
        firstTimestamp: now.replace(/\.\d+Z$/, 'Z'),
        lastTimestamp: now.replace(/\.\d+Z$/, 'Z'),
        count: 1,
      },
      false,
    );
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
  }
}
