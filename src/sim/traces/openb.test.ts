import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { readOpenbNodes, readOpenbPods } from './openb.ts';

const podHeader =
  'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time';

describe('Alibaba trace', () => {
  it('nodes are read with their model and devices', () => {
    const nodes = readOpenbNodes('sn,cpu_milli,memory_mib,gpu,model\r\nopenb-node-0000,64000,262144,2,P100\r\n');
    assert.deepEqual(nodes, [
      { name: 'openb-node-0000', cpuMilli: 64_000, memoryMib: 262_144, gpus: 2, model: 'P100' },
    ]);
  });

  const pods = {
    'a part of a device is a share of one': { row: '6000,12288,1,460,', want: [1, 460, []] },
    'a single whole device is 1000 milli': { row: '6000,12288,1,1000,', want: [1, 1000, []] },
    'several devices are whole ones': { row: '6000,12288,8,1000,', want: [8, 1000, []] },
    'a pod without devices asks for no part of one': { row: '6000,12288,0,0,', want: [0, 0, []] },
    'models are alternatives': { row: '6000,12288,1,1000,V100M16|V100M32', want: [1, 1000, ['V100M16', 'V100M32']] },
  };
  for (const [rule, { row, want }] of Object.entries(pods)) {
    it(rule, () => {
      const [pod] = readOpenbPods(`${podHeader}\nopenb-pod-0000,${row},LS,Running,0,1,0\n`);
      assert.deepEqual([pod?.gpus, pod?.gpuMilli, pod?.models], want);
    });
  }

  it('a line that cannot be read is named', () => {
    assert.throws(() => readOpenbPods(`${podHeader}\na,1,1,1,1000,\nb,1,1,1,1001,\n`), /line 3/);
    assert.throws(() => readOpenbNodes('sn,cpu_milli,memory_mib,gpu,model\na,1,1,x,P100\n'), /line 2/);
    assert.throws(() => readOpenbNodes('name,cpu\n'), /line 1/);
  });
});
