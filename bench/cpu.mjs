import { readFileSync } from 'node:fs'

/**
 * What the main thread has used so far, in microseconds: where the system does not tell, what the whole process has. Other
 * threads collect garbage and compile, and how much of that falls into a round is chance.
 */
export function mainThreadCpu() {
  if (process.threadCpuUsage) return sum(process.threadCpuUsage())
  try {
    const [onCpuNs] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')
    return Number(onCpuNs) / 1000
  } catch {
    return sum(process.cpuUsage())
  }
}

const sum = ({ user, system }) => user + system
