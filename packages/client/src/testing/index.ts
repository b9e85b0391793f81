export type { FakeEntry, FakeLaunchOptions } from './fake-lifecycle.js'
export type {
  FakeClock,
  FakeNetworkRequest,
  FakeNetworkResponse,
  FakeRequestBehaviour,
  FakeRequestOptions,
  FakeRequestTask,
  RecordedRequest,
} from './fake-request.js'
export type {
  FakeLoginBehaviour,
  FakeLoginOptions,
  FakeWx,
  FakeWxControl,
  FakeWxOptions,
} from './fake-wx.js'
export { createFakeWx } from './fake-wx.js'
export type { TimerPromise, TimerPromiseConstructor } from './timer-promise.js'
export { createTimerPromise } from './timer-promise.js'
