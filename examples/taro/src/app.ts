import { useLaunch } from '@tarojs/taro'
import type { PropsWithChildren } from 'react'
import { client } from './client'
import './app.css'

export default function App({ children }: PropsWithChildren) {
  useLaunch((options) => {
    // Logs in silently. Nothing has to wait for it: requests made meanwhile wait by themselves.
    client.launch(options)
  })
  return children
}
