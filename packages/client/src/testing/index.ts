export type { FetchedData } from './fake-background-fetch.js'
export type { Callbacks, Done } from './fake-callbacks.js'
export type { FakeClock } from './fake-clock.js'
export type {
  FakeCloud,
  FakeContainerOptions,
  FakeContainerRequest,
  FakeContainerResult,
} from './fake-container.js'
export type {
  FakeDownloadOptions,
  FakeDownloadTask,
  FakeUploadOptions,
  FakeUploadTask,
} from './fake-files.js'
export type {
  FakeCloudFailure,
  FakeFunctionCall,
  FakeFunctionOptions,
  FakeFunctionResult,
} from './fake-function.js'
export type { FakeEntry, FakeLaunchOptions } from './fake-lifecycle.js'
export type { FakeLoginBehaviour, FakeLoginOptions } from './fake-login.js'
export type { FakeNetworkRequest, FakeNetworkResponse } from './fake-network.js'
export type {
  FakePay,
  FakePaymentBehaviour,
  FakePaymentOptions,
  FakePaymentOutcome,
  RecordedPayment,
} from './fake-payment.js'
export type { FakeRequestOptions, FakeRequestTask } from './fake-request.js'
export type { FakeRuntime } from './fake-runtime.js'
export type {
  FakeHandshake,
  FakeSocket,
  FakeSocketBehaviour,
  FakeSocketOptions,
  FakeSocketTask,
} from './fake-socket.js'
export type { FakeRequestBehaviour, RecordedRequest } from './fake-transfer.js'
export type { FakeWxOptions } from './fake-wx.js'
export { createFakeWx } from './fake-wx.js'
export type { FakeCall, FakeNetworkStatus, FakeWx, FakeWxControl } from './fake-wx-types.js'
export type { TimerPromise, TimerPromiseConstructor } from './timer-promise.js'
export { createTimerPromise } from './timer-promise.js'
