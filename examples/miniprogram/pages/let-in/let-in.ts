import { client } from '../../client'
import { textOf } from '../../texts'

/** What asks to be let in. Name and page are what it says of itself; the place is what the backend knows. */
interface Asks {
  readonly client_name?: string
  readonly page?: string
  readonly place?: string
  readonly asked_at: number
}

Page({
  data: {
    isOpen: false,
    clientName: '',
    page: '',
    place: '',
    time: '',
    warning: '',
    message: '',
  },

  scene: '',

  async onLoad(query: { scene?: string }) {
    this.scene = decodeURIComponent(query.scene ?? '')
    // 1047: scanned by the camera. From an album or a chat somebody else may have sent the code.
    const entrance = wx.getEnterOptionsSync?.().scene
    if (entrance !== undefined && entrance !== 1047) {
      this.setData({ warning: '这个码不是用相机扫的。如果是别人发给你的，请拒绝。' })
    }
    await this.attempt(async () => {
      const { data } = await client.request<Asks>({
        url: '/wx/device',
        data: { scene: this.scene },
      })
      this.setData({
        isOpen: true,
        clientName: data.client_name ?? '未知的设备',
        page: data.page ?? '未知的网页',
        place: data.place ?? '未知的地方',
        time: timeOf(data.asked_at),
      })
    })
  },

  approve() {
    return this.decide(true)
  },

  refuse() {
    return this.decide(false)
  },

  decide(approve: boolean) {
    return this.attempt(async () => {
      await client.request({
        url: '/wx/device/decision',
        method: 'POST',
        data: { scene: this.scene, approve },
      })
      this.setData({ isOpen: false, message: approve ? '已允许，请看电脑' : '已拒绝' })
    })
  },

  /** Does what was asked for. A failure becomes a sentence on the screen. */
  async attempt(action: () => Promise<unknown>) {
    this.setData({ message: '' })
    try {
      await action()
    } catch (error) {
      this.setData({ isOpen: false, message: textOf(error) })
    }
  },
})

function timeOf(seconds: number): string {
  const time = new Date(seconds * 1000)
  return [time.getHours(), time.getMinutes()].map((part) => `0${part}`.slice(-2)).join(':')
}
