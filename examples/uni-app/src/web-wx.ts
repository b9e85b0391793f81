/**
 * What the client calls of `uni` in a browser. A build for H5 leaves out whatever it does not see used by name, so `uni`
 * itself would be empty; there is no login.
 */
export const webWx = {
  request: uni.request,
  getStorageSync: uni.getStorageSync,
  setStorageSync: uni.setStorageSync,
  removeStorageSync: uni.removeStorageSync,
  onAppShow: uni.onAppShow,
  onNetworkStatusChange: uni.onNetworkStatusChange,
}
