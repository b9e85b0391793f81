import type { Wx, WxRequestOptions } from '../wx.js'
import { createAnswerRoute, type LoginlessWx, type Own } from './auth-routes.js'
import type { Attached, Backend, BackendRequest } from './backend.js'

export interface TranslatorOptions<W extends LoginlessWx> {
  /** `wx`, `Taro` or `uni`. In a browser, where their builds leave out what is not used by name, an object of these. */
  wx: W
  /** That of the client. */
  baseUrl: string
  backend: Backend
  /** That of the client (default `'/wx'`). Nothing is sent there: choose one below which the backend has no `/login`. */
  authPath?: string | undefined
  /** Those of the client. */
  trustedOrigins?: readonly string[] | undefined
}

/** Of every kind of request. */
type Options = WxRequestOptions & { formData?: object }

type Native = (options: Options, token?: string) => unknown

type Attach = (request: BackendRequest, token: string | undefined) => Attached

type Methods = { readonly [name: string]: Native }

/**
 * The `wx` of a client that speaks to a backend with a login of its own. What needs our server rejects with `config`.
 *
 * @throws TypeError when an option is missing
 *
 * @example
 * createClient({ baseUrl, wx: createTranslator({ wx, baseUrl, backend }) })
 */
export function createTranslator<W extends LoginlessWx>({
  wx,
  baseUrl,
  backend,
  authPath = '/wx',
  trustedOrigins = [],
}: TranslatorOptions<W>): W & Wx {
  const {
    attach = (_request, token) => ({ header: token && { Authorization: `Bearer ${token}` } }),
  } = backend as { attach?: Attach }
  const origins = [baseUrl].concat(trustedOrigins).map(originOf)
  const isTrusted = (url: string): boolean => origins.indexOf(originOf(url)) >= 0
  const urlOf = (url: string): string => baseUrl.replace(/\/*$/, '') + url.replace(/^\/*/, '/')
  const authUrl = urlOf(authPath)
  const runtime = wx as object as Methods
  /** The headers by which the client sends the tokens it has had: any other `Authorization` is the app's. */
  const own: Own = {}

  const carry =
    (kind: BackendRequest['kind'], name: string, target = runtime): Native =>
    (options, known?) => {
      const header = Object.assign({}, options.header as { Authorization?: string })
      const token = known || own[`:${header.Authorization}`]
      let sent = options
      if (token || isTrusted(options.url)) {
        if (token) delete header.Authorization
        const added = attach(Object.assign({ kind }, options), token)
        sent = Object.assign({}, options, added, {
          header: Object.assign({}, added.header, header),
        })
        if (!isTrusted(sent.url)) {
          return (options as Required<Options>).fail({ errMsg: 'domain list: trustedOrigins' })
        }
      }
      return (target[name] as Native)(sent)
    }

  const request = carry('request', 'request')
  const answerRoute = createAnswerRoute(wx, backend, urlOf, request, own)

  return Object.create(wx, {
    // The real one is called when it is known whether this login needs a code.
    login: {
      value: ({ success }: { success(result: object): void }) => success({ code: 'later' }),
    },
    request: {
      value: (options: Options) =>
        answerRoute(options.url.replace(`${authUrl}/`, '/'), options) || request(options),
    },
    uploadFile: { value: carry('upload', 'uploadFile') },
    downloadFile: { value: carry('download', 'downloadFile') },
    connectSocket: {
      // Taro's own gives a promise, and the client would go past this one.
      value: carry('socket', 'connectSocket', (wx as { miniGlobal?: Methods }).miniGlobal),
    },
    miniGlobal: {},
    getStorageSync: {
      value(key: string) {
        const text = wx.getStorageSync(key)
        try {
          const { access_token: token } = JSON.parse(text as string)
          own[`:Bearer ${token}`] = token
        } catch {
          // Nothing is stored, or nothing that the client can read either.
        }
        return text
      },
    },
    // A code of WeCom is none of this backend's.
    qy: {},
    // It would be a login at our server.
    getBackgroundFetchData: {},
    cloud: {},
  })
}

/**
 * What stands before the path, a socket's as that of its handshake. Whatever URL parsers may read differently is like
 * no origin that the client accepts.
 */
const originOf = (url: string): string =>
  url.split(/[/?#]/, 3).join('/').toLowerCase().replace(/^ws/, 'http')
