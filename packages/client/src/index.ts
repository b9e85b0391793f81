export type { Json, WireErrorCode } from '@wxlogin/shared'
export { type Client, createClient } from './client.js'
export { ClientError, type ClientErrorCode } from './errors.js'
export type { ClientEvent } from './events.js'
export type { ClientOptions } from './options.js'
export type { LoginOptions, LoginSettings, LogoutOptions } from './session/renewal.js'
export type { Session, SessionChange } from './session/session.js'
export type { ChangeReason } from './session/token-record.js'
export type { Task } from './task.js'
export type { AuthOptions, ClientResponse, RequestOptions, RequestTask } from './transports/send.js'
export type {
  Wx,
  WxData,
  WxFailure,
  WxLaunchOptions,
  WxLoginOptions,
  WxMethod,
  WxRequestOptions,
  WxRequestTask,
  WxResponse,
} from './wx.js'
