import { Button, Input, View } from '@tarojs/components'
import { useState } from 'react'
import type { Form } from '../../password-login'

/** Asks for what the backend's password login needs. */
export function PasswordForm({ onLogin }: { readonly onLogin: (form: Form) => void }) {
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  return (
    <View className="form">
      <Input
        className="field"
        name="username"
        placeholder="用户名"
        onInput={({ detail }) => setUsername(detail.value)}
      />
      <Input
        className="field"
        name="password"
        password
        placeholder="密码"
        onInput={({ detail }) => setPassword(detail.value)}
      />
      <Button type="primary" onClick={() => onLogin({ username, password })}>
        登录
      </Button>
    </View>
  )
}
