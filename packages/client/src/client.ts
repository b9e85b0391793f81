import { type Client, type ClientOptions, createCore } from './core.js'

/**
 * The login of one mini program at one backend. Create it once, in a module of its own.
 *
 * @throws TypeError when an option is wrong
 */
export function createClient<Data = unknown>(options: ClientOptions): Client<Data> {
  return createCore<Data>(options)
}
