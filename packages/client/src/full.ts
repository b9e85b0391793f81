export type { Json, WireErrorCode } from '@wxlogin/shared'
export { ClientError, type ClientErrorCode } from './errors.js'
export type { ClientEvent } from './events.js'
export {
  createClient,
  type FullClient as Client,
  type FullClientOptions as ClientOptions,
} from './full-client.js'
export type { LoginOptions, LoginSettings, LogoutOptions } from './session/renewal.js'
export type { Session, SessionChange } from './session/session.js'
export type { ChangeReason } from './session/token-record.js'
export type { Task } from './task.js'
export type { BoundPhone, PhoneEvent } from './transports/bind-phone.js'
export type { Container, ContainerOptions } from './transports/call-container.js'
export type { CloudFunction } from './transports/call-function.js'
export type { ReopenReason, SocketOptions, SocketTask } from './transports/connect-socket.js'
export type { Download, DownloadOptions, DownloadTask } from './transports/download-file.js'
export type { PayOptions } from './transports/pay.js'
export type { AuthOptions, ClientResponse, RequestOptions, RequestTask } from './transports/send.js'
export type { UploadOptions, UploadTask } from './transports/upload-file.js'
export type { WebViewSettings } from './transports/web-view-url.js'
export type {
  FullWx as Wx,
  WxContainerOptions,
  WxData,
  WxDownloadOptions,
  WxDownloadProgress,
  WxFailure,
  WxFileTask,
  WxFunctionOptions,
  WxFunctionResult,
  WxLaunchOptions,
  WxLoginOptions,
  WxMethod,
  WxPaymentOptions,
  WxRequestOptions,
  WxRequestTask,
  WxResponse,
  WxSocketOptions,
  WxSocketTask,
  WxUploadOptions,
  WxUploadProgress,
} from './wx.js'
