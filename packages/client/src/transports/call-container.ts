import { assertOption, ClientError, headerOf } from '../errors.js'
import type { FullWx, WxContainerOptions } from '../wx.js'
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
  return originOf(service, env)
}

/** Of an environment, a service or a function. */
export const isName = (text: string): boolean => /^[\w-]+$/.test(text || '')

const originOf = (service: unknown, env: unknown): string => `https://${service}.${env}.invalid`

const serviceHeader = 'x-wx-service'

/** The url of a call that may be to another environment or service, which decides whether it may carry the token. */
export const urlOfCall = (options: ContainerOptions, container: Partial<Container>): string => {
  const { path, config, service = container.service, header } = options
  const { env } = Object.assign({}, container, config)
  return originOf(headerOf(Object(header), serviceHeader) || service, env) + path
}

/** `wx.cloud.callContainer`, for options with a `path` of their own and for urls below `origin`. */
export function createCallContainer(
  wx: FullWx,
  origin: string | undefined,
  container: Partial<Container>,
): NativeCall {
  return (options) => {
    const { cloud } = wx
    const { header } = options
    const {
      path = options.url.slice(String(origin).length),
      config,
      service = container.service,
    } = options as Partial<ContainerOptions>
    if (!cloud || !cloud.callContainer) {
      throw new ClientError('config', {}, 'base library 2.13.1, no translator')
    }
    // It is for the service that gets the token.
    if (
      'path' in options
        ? urlOfCall(options as ContainerOptions, container) !== options.url
        : headerOf(Object(header), serviceHeader)
    ) {
      throw new ClientError('config', {}, 'callContainer has a service')
    }
    // Only its first call counts, so an earlier one by the app stays in force.
    cloud.init({ env: container.env } as Container)
    return cloud.callContainer(
      Object.assign({ followRedirect: options.redirect !== 'manual' }, options, {
        path,
        config: Object.assign({ env: container.env }, config),
        header: Object.assign({}, service && { 'X-WX-SERVICE': service }, header),
      }) as never,
    )
  }
}
