export type { Json, WireErrorCode } from '@wxlogin/shared'
export {
  type Client,
  type ClientOptions,
  type ClientResponse,
  createClient,
  type RequestOptions,
  type RequestTask,
  type Session,
  type SessionChange,
} from './client.js'
export { ClientError, type ClientErrorCode } from './errors.js'
export type { ChangeReason } from './record.js'
export type { ClientEvent, LoginOptions, LoginSettings, LogoutOptions } from './renewal.js'
export type { Task } from './transports.js'
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
