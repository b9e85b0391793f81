import { client } from '../../client'
import { textOf } from '../../texts'

interface Order {
  readonly id: string
  readonly title: string
  readonly price: number
}

interface Device {
  readonly id: string
  readonly device?: string
  readonly current: boolean
}

Page({
  data: {
    status: '登录中…',
    isLoggedIn: false,
    message: '',
    orders: [] as Order[],
    devices: [] as (Device & { name: string })[],
    years: 0,
  },

  stopListening() {},

  onLoad() {
    this.stopListening = client.onChange(({ reason }) => this.showLogin(reason))
    client.ready().then(() => {
      this.showLogin()
      // WeChat may have fetched the orders together with the login, before this code was loaded (数据预拉取).
      const orders = client.prefetched<Order[]>()
      if (orders) this.setData({ orders })
    })
  },

  onUnload() {
    this.stopListening()
  },

  showLogin(reason?: string) {
    const session = client.session()
    if (session) {
      this.setData({ status: `已登录：${session.data?.name}`, isLoggedIn: true, message: '' })
      return
    }
    const isOut = reason === 'logout' || reason === 'signed_out'
    this.setData({
      status: isOut ? '已退出' : '未登录',
      isLoggedIn: false,
      orders: [],
      devices: [],
      years: 0,
    })
  },

  login() {
    return this.attempt(() => client.login())
  },

  logout() {
    return this.attempt(() => client.logout())
  },

  /** A guest whose number belongs to a customer goes on as that customer, and is shown that customer's orders. */
  bindPhone(event: WechatMiniprogram.ButtonGetPhoneNumber) {
    return this.attempt(async () => {
      await client.bindPhone(event)
      await this.queryOrders()
    })
  },

  queryOrders() {
    return this.attempt(async () => {
      const { data } = await client.request<Order[]>({ url: '/orders' })
      this.setData({ orders: data })
    })
  },

  /** Whatever the phone hears of the payment: the server knows whether it was paid. */
  buyMembership() {
    return this.attempt(async () => {
      try {
        await client.pay({ url: '/membership' })
      } finally {
        await this.queryMembership()
      }
    })
  },

  queryMembership() {
    return this.attempt(async () => {
      const { data } = await client.request<{ years: number }>({ url: '/membership' })
      this.setData({ years: data.years })
    })
  },

  queryDevices() {
    return this.attempt(async () => {
      const { data } = await client.request<Device[]>({ url: '/devices' })
      this.setData({
        devices: data.map((device) => ({ ...device, name: device.device || '未命名的设备' })),
      })
    })
  },

  signOutDevice(event: WechatMiniprogram.TouchEvent) {
    return this.attempt(async () => {
      await client.request({ url: `/devices/${event.currentTarget.dataset.id}`, method: 'DELETE' })
      await this.queryDevices()
    })
  },

  /** Does what a button asks for. A failure becomes a sentence on the screen. */
  async attempt(action: () => Promise<unknown>) {
    this.setData({ message: '' })
    try {
      await action()
    } catch (error) {
      this.setData({ message: textOf(error) })
    }
  },
})
