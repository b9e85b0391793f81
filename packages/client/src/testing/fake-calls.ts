/** How often each member of `wx` was called. */
export type FakeCalls = ReturnType<typeof noCalls>

/** Counts calls; from the start there is a zero for each member. */
export function createCounter() {
  const calls = noCalls()
  return {
    calls,
    counted:
      <A extends unknown[], R>(name: keyof FakeCalls, run: (...given: A) => R) =>
      (...given: A): R => {
        calls[name] += 1
        return run(...given)
      },
  }
}

function noCalls() {
  return {
    login: 0,
    request: 0,
    uploadFile: 0,
    downloadFile: 0,
    connectSocket: 0,
    'cloud.init': 0,
    'cloud.callContainer': 0,
    getBackgroundFetchData: 0,
    onBackgroundFetchData: 0,
    getStorageSync: 0,
    setStorageSync: 0,
    removeStorageSync: 0,
    getStorage: 0,
    setStorage: 0,
    removeStorage: 0,
    getAccountInfoSync: 0,
    getEnterOptionsSync: 0,
    getLaunchOptionsSync: 0,
    onAppShow: 0,
    offAppShow: 0,
    onAppHide: 0,
    offAppHide: 0,
    getRandomValues: 0,
  }
}
