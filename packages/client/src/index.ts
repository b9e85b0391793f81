export type { Json, WireErrorCode } from '@wxlogin/shared'
export { createClient } from './client.js'
export type { Client, ClientOptions, Session, SessionChange } from './core.js'
export { ClientError, type ClientErrorCode } from './errors.js'
export type { ChangeReason } from './record.js'
export type { ClientEvent, LoginOptions, LoginSettings, LogoutOptions } from './renewal.js'
export type { AuthOptions, ClientResponse, RequestOptions, RequestTask } from './request.js'
export type { Task } from './task.js'
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
