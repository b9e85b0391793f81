import { checkNames, type OptionNames } from '../../option-checks.js'
import { type CreateAuth, runCase, type StartAdapter } from './backend.js'
import { bodyCases } from './body-cases.js'
import { connectionCases } from './connection-cases.js'
import { guardCases } from './guard-cases.js'
import { routeCases } from './route-cases.js'

export type {
  AdapterBackend,
  AdapterClaims,
  AdapterServer,
  GuardedRoute,
  StartAdapter,
} from './backend.js'

/** One thing that an adapter must do. Passes when `run` resolves; an error says what is wrong, and what to do. */
export interface AdapterCase {
  readonly name: string
  run(start: StartAdapter): Promise<void>
}

export interface AdapterCasesOptions {
  /** `createAuth` of `@wxlogin/server`. */
  createAuth: CreateAuth
  /**
   * Whether requests that are none of the login routes' go on to the next handler (default true); otherwise they are
   * answered 404.
   */
  hasNext?: boolean
  /**
   * Whether something has read and parsed JSON before the adapter is asked (default false). Then the cases about bodies
   * that are left unread are not in the list.
   */
  hasParser?: boolean
  /**
   * Whether the adapter answers on the connection itself (default true). One that gives a `Response` does not, and has
   * no cases about connections.
   */
  hasConnection?: boolean
  /**
   * Whether the adapter's requests are those of HTTP (default true). For the calls of a cloud function, where headers are
   * the caller's own word and an answer is JSON, there are no cases about a gateway's headers or a connection.
   */
  hasHttp?: boolean
  /**
   * Whether the adapter knows the address that a request came from (default true). One that is given a `Request` and
   * nothing else does not.
   */
  hasIp?: boolean
}

const names: OptionNames<AdapterCasesOptions> = {
  createAuth: true,
  hasNext: true,
  hasParser: true,
  hasConnection: true,
  hasHttp: true,
  hasIp: true,
}

/**
 * What every adapter has to do, as a list without a test runner. Each case starts a backend of its own, so they run in
 * any order and at the same time. They speak to it over HTTP/1.1, from Node.
 *
 * @example
 * for (const { name, run } of adapterCases({ createAuth })) test(name, () => run(start))
 */
export function adapterCases(options: AdapterCasesOptions): readonly AdapterCase[] {
  checkNames('adapterCases', options, names)
  const {
    createAuth,
    hasNext = true,
    hasParser = false,
    hasConnection = true,
    hasHttp = true,
    hasIp = true,
  } = options
  if (typeof createAuth !== 'function') {
    throw new TypeError('createAuth must be the createAuth of @wxlogin/server')
  }
  const drafts = [
    ...routeCases({ hasNext, hasHttp, hasIp }),
    ...guardCases({ hasHttp }),
    ...bodyCases({ hasParser }),
    ...(hasConnection && hasHttp && !hasParser ? connectionCases() : []),
  ]
  return drafts.map((draft) => ({
    name: draft.name,
    run: (start) => runCase(draft, start, createAuth),
  }))
}
