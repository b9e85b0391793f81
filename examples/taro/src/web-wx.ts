import Taro from '@tarojs/taro'

/**
 * What the client calls of `Taro` in a browser. A build for H5 leaves out whatever it does not see used by name, so `Taro`
 * itself would be empty; there is no login.
 */
export const webWx = {
  request: Taro.request,
  getStorageSync: Taro.getStorageSync,
  setStorageSync: Taro.setStorageSync,
  removeStorageSync: Taro.removeStorageSync,
  onAppShow: Taro.onAppShow,
  onNetworkStatusChange: Taro.onNetworkStatusChange,
}
