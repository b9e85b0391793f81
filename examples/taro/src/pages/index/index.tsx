import { Button, Text, View } from '@tarojs/components'
import { useState } from 'react'
import { client } from '../../client'
import type { Form } from '../../password-login'
import { textOf } from '../../texts'
import { useSession } from '../../use-session'
import { PasswordForm } from './password-form'
import './index.css'

interface Order {
  readonly id: string
  readonly title: string
  readonly price: number
}

// Nobody has a WeChat account in a browser.
const isWeb = process.env.TARO_ENV === 'h5'

export default function Index() {
  const session = useSession()
  const [orders, setOrders] = useState<readonly Order[]>([])
  const [message, setMessage] = useState('')

  /** Does what a button asks for. A failure becomes a sentence on the screen. */
  async function attempt(action: () => Promise<unknown>) {
    setMessage('')
    try {
      await action()
    } catch (error) {
      setMessage(textOf(error))
    }
  }

  const login = () => attempt(() => client.login())

  const loginByPassword = (form: Form) => attempt(() => client.login({ input: form }))

  const logout = () =>
    attempt(async () => {
      await client.logout()
      setOrders([])
    })

  const queryOrders = () =>
    attempt(async () => {
      const { data } = await client.request<Order[]>({ url: '/orders' })
      setOrders(data)
    })

  if (session === 'unknown') return <View className="card">登录中…</View>
  return (
    <View>
      <View className="card">
        <Text className="title">{session ? `已登录：${session.data?.name}` : '已退出'}</Text>
        {session ? (
          <Button size="mini" onClick={logout}>
            退出
          </Button>
        ) : (
          !isWeb && (
            <Button size="mini" onClick={login}>
              登录
            </Button>
          )
        )}
      </View>
      {isWeb && !session && <PasswordForm onLogin={loginByPassword} />}
      {message && <View className="message">{message}</View>}
      <View className="card">
        <Text className="title">我的订单</Text>
        <Button size="mini" type="primary" onClick={queryOrders}>
          查询
        </Button>
      </View>
      {orders.map((order) => (
        <View key={order.id} className="row">
          <Text>{order.title}</Text>
          <Text className="note">
            {order.id} · ¥{order.price}
          </Text>
        </View>
      ))}
    </View>
  )
}
