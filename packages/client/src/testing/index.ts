export type {
  FakeBackgroundFetchEvent,
  FakeBackgroundFetchOptions,
  FakeFetchedData,
} from './fake-background-fetch.js'
export type { FakeCalls } from './fake-calls.js'
export type { FakeClock } from './fake-clock.js'
export type {
  FakeCloud,
  FakeCloudConfig,
  FakeContainerOptions,
  FakeContainerResult,
} from './fake-container.js'
export type { FakeWxControl } from './fake-control.js'
export type {
  FakeDownloadOptions,
  FakeDownloadProgress,
  FakeDownloadResult,
  FakeDownloadTask,
} from './fake-download.js'
export type { FakeEntry, FakeLaunchOptions } from './fake-lifecycle.js'
export type { FakeLoginBehaviour, FakeLoginOptions, FakeLoginResult } from './fake-login.js'
export type { FakeNetworkRequest, FakeNetworkResponse, FakeUpload } from './fake-network.js'
export type { FakeRandomOptions, FakeRandomResult } from './fake-random.js'
export type { FakeRequestOptions, FakeRequestTask } from './fake-request.js'
export type {
  FakeServerSocket,
  FakeSocketClose,
  FakeSocketData,
  FakeSocketRequest,
} from './fake-server-socket.js'
export type { FakeSocketTask } from './fake-socket-task.js'
export type { FakeSocketBehaviour, FakeSocketOptions } from './fake-sockets.js'
export type { FakeStorageCalls } from './fake-storage-calls.js'
export type {
  FakeUploadOptions,
  FakeUploadProgress,
  FakeUploadResult,
  FakeUploadTask,
} from './fake-upload.js'
export type { FakeWx } from './fake-wx.js'
export { createFakeWx } from './fake-wx.js'
export type { FakeWxOptions } from './fake-wx-options.js'
export type {
  FakeRequestBehaviour,
  FakeRequestKind,
  RecordedRequest,
} from './recorded-request.js'
export type { TimerPromise, TimerPromiseConstructor } from './timer-promise.js'
export { createTimerPromise } from './timer-promise.js'
