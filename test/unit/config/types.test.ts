import { describe, expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import type {
  ControlPlaneSettings,
  FleetSettings,
  LoadAction,
  ReadTemplate,
  SloSettings,
  WatchesAction,
} from '../../../src/config/index.ts';
import type { sloSchema } from '../../../src/config/schema.ts';
import type { controlPlaneSchema } from '../../../src/config/schema-control-plane.ts';
import type { fleetSchema } from '../../../src/config/schema-fleet.ts';
import type { ActionInput, ReadInput } from '../../../src/config/schema-load.ts';

// Checked by the compiler (npm run types); resolve() being of type Suite covers the rest.
describe('the types of a resolved suite', () => {
  it('are what the schema makes of the sections that need nothing else', () => {
    expectTypeOf<z.output<typeof controlPlaneSchema>>().toEqualTypeOf<ControlPlaneSettings>();
    // Whether the kubelets can be asked depends on the provider.
    type Unplaced = Omit<FleetSettings, 'kubeletApi'> & { kubeletApi: boolean | undefined };
    expectTypeOf<z.output<typeof fleetSchema>>().toEqualTypeOf<Unplaced>();
    expectTypeOf<z.output<typeof sloSchema>>().toEqualTypeOf<SloSettings>();
  });

  it('know the same actions and the same words as the schema', () => {
    expectTypeOf<ActionInput['action']>().toEqualTypeOf<LoadAction['action']>();
    expectTypeOf<ReadInput['verb']>().toEqualTypeOf<ReadTemplate['verb']>();
    expectTypeOf<ReadInput['consistency']>().toEqualTypeOf<ReadTemplate['consistency']>();
    expectTypeOf<NonNullable<ReadInput['scope']>>().toEqualTypeOf<WatchesAction['scope']>();
    type Create<T extends { action: string }> = Extract<T, { action: 'create' }>;
    expectTypeOf<Create<ActionInput>['waitFor']>().toEqualTypeOf<Create<LoadAction>['waitFor']>();
    expectTypeOf<Create<ActionInput>['arrival']>().toEqualTypeOf<Create<LoadAction>['arrival']>();
  });
});
