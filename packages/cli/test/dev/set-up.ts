import { onTestFinished } from 'vitest'
import type { Entry, Exchange } from '../../src/dev/log.js'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/dev/sandbox.js'
import { phoneCode } from './phone-code.js'

const code = phoneCode()

/** A sandbox on free ports of loopback, that ends with the test. */
export async function setUp(options: Partial<SandboxOptions> = {}) {
  const sandbox = await createSandbox({
    host: '127.0.0.1',
    port: 0,
    appId: 'wx0000000000000001',
    authPath: '/wx',
    path: '/orders',
    phoneCode: await code,
    pageFolder: new URL('page/', import.meta.url),
    now: Date.now,
    ...options,
  })
  onTestFinished(() => sandbox.close())
  return { sandbox, wireOf: () => wireOf(sandbox), ...actions(sandbox) }
}

function actions(sandbox: Sandbox) {
  return {
    act: sandbox.phones.act,

    /** As the page orders it. */
    async order(order: object): Promise<number> {
      const { status } = await fetch(`${sandbox.pageUrl}/orders`, {
        method: 'POST',
        headers: { origin: sandbox.pageUrl },
        body: JSON.stringify(order),
      })
      return status
    },

    /** What the mini program made of what was done last. */
    lastNote(): string {
      const notes = sandbox.log.entries().filter((entry) => entry.type === 'phone')
      const { isOk, en } = Object(notes.filter(({ action }) => action !== 'session').at(-1))
      return `${isOk ? 'ok' : 'failed'}: ${en}`
    },
  }
}

/** `phone POST /wx/login 200`, in the order in which they ended, since the last look. */
function wireOf({ log }: Sandbox): readonly string[] {
  const ended = log.entries().filter(isEnded)
  log.clear()
  return ended
    .sort((a, b) => Number(a.endedMs) - Number(b.endedMs) || b.id - a.id)
    .map(({ from, method, url, status, code, outcome }) => {
      const end = outcome === 'answered' ? [status, code] : [outcome]
      return [from, method, url.split('?')[0], ...end]
        .filter((part) => part !== undefined)
        .join(' ')
    })
}

function isEnded(entry: Entry): entry is Exchange {
  return entry.type === 'exchange' && entry.outcome !== undefined
}
