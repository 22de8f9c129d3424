import type { Figures } from '../../core/status/index.ts';
import { IsolationController } from '../isolation/index.ts';
import { gpuPoolStatus } from './gpuPoolStatus.ts';
import { matchingInvestmentStatus } from './matchingInvestmentStatus.ts';
import { researchQuotaStatus } from './researchQuotaStatus.ts';
import { StatusController, type StatusControllerOptions } from './statusController.ts';
import { takePictures } from './takePictures.ts';
import type { World } from './world.ts';

export interface StatusControllersOptions extends StatusControllerOptions {
  readonly world: World;
  /** Gets every picture. Must not throw. */
  readonly onPicture: (figures: Figures) => void;
  /** Gets what kept statuses from being worked out; another try follows. Must not throw. */
  readonly onError: (error: unknown) => void;
}

/**
 * Keeps the statuses of the three resources, and the taints of isolated pools, true until the signal aborts. To be
 * started by the leader, once the caches behind `world.snapshot()` are warm. Resolves when all writes under way have
 * ended; never rejects.
 */
export async function startStatusControllers(options: StatusControllersOptions): Promise<void> {
  const { world, clock, signal, onError, onPicture } = options;
  const controllers = [
    new StatusController(gpuPoolStatus(world), options),
    new StatusController(researchQuotaStatus(world), options),
    new StatusController(matchingInvestmentStatus(world), options),
  ];
  const isolation = new IsolationController(options);
  await Promise.all([
    isolation.run(),
    ...controllers.map((controller) => controller.run()),
    takePictures({
      world,
      clock,
      signal,
      onError,
      show: (figures, snapshot) => {
        for (const controller of controllers) controller.show(figures);
        onPicture(figures);
        isolation.show(snapshot, new Set(Array.from(world.pools.values(), ({ name }) => name)));
      },
    }),
  ]);
}
