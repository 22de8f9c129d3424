/** A node of the Alibaba trace. */
export interface OpenbNode {
  readonly name: string;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly gpus: number;
  readonly model: string;
}

/** What one pod of the Alibaba trace asks for. */
export interface OpenbPod {
  readonly cpuMilli: number;
  readonly memoryMib: number;
  /** Devices; 0 for a pod that needs none. */
  readonly gpus: number;
  /** Thousandths of each device: below 1000 only for a single device, of which others then have the rest. */
  readonly gpuMilli: number;
  /** GPU models that it may use; empty = any. */
  readonly models: readonly string[];
}

const nodeHeader = 'sn,cpu_milli,memory_mib,gpu,model';
const podHeader = 'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,';

/**
 * Reads the nodes of the Alibaba 2023 GPU trace as published with FGD (`openb_node_list_*.csv`).
 *
 * @throws Error that names the first line that is not a node
 */
export function readOpenbNodes(csv: string): OpenbNode[] {
  return rowsOf(csv, nodeHeader).map(({ cells, line }) => {
    const [name = '', cpu, memory, gpus, model = ''] = cells;
    const node = { name, cpuMilli: whole(cpu), memoryMib: whole(memory), gpus: whole(gpus), model };
    const isNode = name !== '' && model !== '' && node.cpuMilli >= 0 && node.memoryMib >= 0 && node.gpus >= 1;
    if (!isNode) throw new Error(`line ${line} of the trace is not a node (${nodeHeader}): ${cells.join()}`);
    return node;
  });
}

/**
 * Reads the pods of the Alibaba 2023 GPU trace as published with FGD (`openb_pod_list_*.csv`), in the file's order.
 * Times and phases are left out.
 *
 * @throws Error that names the first line that is not a pod
 */
export function readOpenbPods(csv: string): OpenbPod[] {
  return rowsOf(csv, podHeader).map(({ cells, line }) => {
    const [, cpu, memory, number, milli, spec = ''] = cells;
    const gpus = whole(number);
    const gpuMilli = gpus === 0 ? 0 : gpus > 1 ? 1000 : whole(milli);
    const models = spec.split('|').filter((model) => model !== '');
    const pod = { cpuMilli: whole(cpu), memoryMib: whole(memory), gpus, gpuMilli, models };
    const isPod = pod.cpuMilli >= 0 && pod.memoryMib >= 0 && (gpus === 0 || (gpuMilli >= 1 && gpuMilli <= 1000));
    if (!isPod) throw new Error(`line ${line} of the trace is not a pod (${podHeader}...): ${cells.join()}`);
    return pod;
  });
}

function rowsOf(csv: string, header: string): { readonly cells: readonly string[]; readonly line: number }[] {
  const [first = '', ...rest] = csv.split(/\r?\n/);
  if (!first.startsWith(header)) throw new Error(`line 1 of the trace does not begin with the header "${header}"`);
  return rest.flatMap((text, i) => (text === '' ? [] : [{ cells: text.split(','), line: i + 2 }]));
}

/** NaN for what is not a whole number. */
function whole(text: string | undefined): number {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : NaN;
}
