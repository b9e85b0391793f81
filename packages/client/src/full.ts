export type { Json, WireErrorCode } from '@wxlogin/shared'
export type { BoundPhone, PhoneEvent } from './bind-phone.js'
export type { ReopenReason, SocketOptions } from './connect-socket.js'
export type { Container, ContainerOptions } from './container.js'
export type { Session, SessionChange } from './core.js'
export type { Download, DownloadOptions, DownloadTask } from './download-file.js'
export { ClientError, type ClientErrorCode } from './errors.js'
export {
  createClient,
  type FullClient as Client,
  type FullClientOptions as ClientOptions,
} from './full-client.js'
export type { ChangeReason } from './record.js'
export type { ClientEvent, LoginOptions, LoginSettings, LogoutOptions } from './renewal.js'
export type { AuthOptions, ClientResponse, RequestOptions, RequestTask } from './request.js'
export type { Task } from './task.js'
export type { UploadOptions, UploadTask } from './upload-file.js'
export type {
  FullWx as Wx,
  WxContainerOptions,
  WxData,
  WxDownloadOptions,
  WxDownloadProgress,
  WxFailure,
  WxFileTask,
  WxLaunchOptions,
  WxLoginOptions,
  WxMethod,
  WxRequestOptions,
  WxRequestTask,
  WxResponse,
  WxSocketOptions,
  WxSocketTask,
  WxUploadOptions,
  WxUploadProgress,
} from './wx.js'
