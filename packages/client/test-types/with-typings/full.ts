import {
  createClient,
  type DownloadOptions,
  type SocketOptions,
  type UploadOptions,
  type Wx,
  type WxContainerOptions,
  type WxSocketTask,
} from '../../src/full.js'

// The real `wx` fits the port.
const port: Wx = wx
const client = createClient({ baseUrl: 'https://api.example.com', wx: port })

// What `wx.cloud.callContainer` takes; the port itself leaves that open.
export const call = (options: WxContainerOptions & { success(): void }): void =>
  wx.cloud.callContainer(options)

// What wx's calls take, the client's take too, callbacks excepted.
type Without<Option> = Omit<Option, 'success' | 'fail' | 'complete'>
export const upload = (o: Without<WechatMiniprogram.UploadFileOption>): UploadOptions => o
export const download = (o: Without<WechatMiniprogram.DownloadFileOption>): DownloadOptions => o
export const socket = (o: Without<WechatMiniprogram.ConnectSocketOption>): SocketOptions => o

// What comes back is what wx's calls give.
export const socketOf = (native: WechatMiniprogram.SocketTask): WxSocketTask => native
export function listen(): void {
  const uploading = client.uploadFile({ url: '/photos', filePath: 'a', name: 'photo' })
  uploading.onProgressUpdate(({ totalBytesSent }) => totalBytesSent)
  const native: Pick<
    WechatMiniprogram.UploadTask,
    'abort' | 'onProgressUpdate' | 'offProgressUpdate' | 'onHeadersReceived'
  > = uploading
  native.abort()
}

// The event of a phone button goes in as it is.
export const bind = (event: WechatMiniprogram.ButtonGetPhoneNumber) => client.bindPhone(event)

type Changed<Member extends keyof Wx, Type> = Omit<typeof wx, Member> & { [M in Member]: Type }

// @ts-expect-error an upload that answers with a number
export const changed: Wx = {} as Changed<
  'uploadFile',
  (options: {
    url: string
    filePath: string
    name: string
    success?: (result: { data: number; statusCode: number }) => void
  }) => WechatMiniprogram.UploadTask
>
// @ts-expect-error a socket that cannot be closed
export const endless: Wx = {} as Changed<
  'connectSocket',
  (options: { url: string }) => Omit<WechatMiniprogram.SocketTask, 'close'>
>
// @ts-expect-error data that is fetched for nobody
export const fetched: Wx = {} as Changed<
  'getBackgroundFetchData',
  (options: { fetchType: number }) => void
>
