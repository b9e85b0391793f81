import { assertOption, ClientError } from '../errors.js'
import type { FullRuntime, WxContainerOptions } from '../wx.js'
import type { AuthOptions, NativeCall } from './send.js'

/** A service of WeChat cloud hosting (云托管). */
export interface Container {
  /** The environment, `'prod-1gabcdef'` for example. */
  env: string
  /** The name of the service. */
  service: string
}

/**
 * What `wx.cloud.callContainer` takes; `config.env` and the service are those of the option `container` unless given.
 */
export interface ContainerOptions
  extends AuthOptions,
    Omit<WxContainerOptions, 'success' | 'fail'> {
  service?: string
  verbose?: boolean
  followRedirect?: boolean
  /** Resolves whatever the status is, without `unwrap`. */
  raw?: boolean
}

/**
 * The container as an origin that no host can have (RFC 2606): what is below it is sent by `wx.cloud.callContainer`.
 */
export function originOfContainer({ env, service }: Container): string {
  assertOption(isName(env), 'container.env must be made of letters, digits, - and _')
  assertOption(isName(service), 'container.service must be made of letters, digits, - and _')
  return `https://${service}.${env}.invalid`
}

const isName = (text: string): boolean => /^[\w-]+$/.test(text || '')

/** `wx.cloud.callContainer`, for options with a `path` of their own and for urls below `origin`. */
export function createCallContainer({
  wx,
  origin,
  container,
}: {
  readonly wx: FullRuntime
  readonly origin: string | undefined
  readonly container: Partial<Container>
}): NativeCall {
  return (options) => {
    const { cloud } = wx
    const {
      path = options.url.slice(String(origin).length),
      config,
      service = container.service,
    } = options as Partial<ContainerOptions>
    if (!cloud || !cloud.callContainer) {
      throw new ClientError('config', undefined, 'needs base library 2.13.1')
    }
    // Only its first call counts, so an earlier one by the app stays in force.
    cloud.init({ env: container.env } as Container)
    return cloud.callContainer(
      Object.assign({}, options, {
        path,
        config: Object.assign({ env: container.env }, config),
        header: Object.assign({}, service && { 'X-WX-SERVICE': service }, options.header),
      }) as never,
    )
  }
}
