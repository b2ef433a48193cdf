// The websocket of the telephone, as JsSIP takes one. A network that is cut, or a firewall that forgets, tells a page nothing: its
// websocket stays open and carries nothing, for many minutes. Asterisk looks after each registered page every 5 s, so one that
// hears nothing for longer is lost, and JsSIP is told, which opens it anew.
import type { Socket } from 'jssip/lib/Socket'

const SILENT_MS = 8000
const OPENS_MS = 2000
const ANSWERS_MS = 1500

export class Wire implements Socket {
  via_transport: string
  readonly sip_uri: string
  onconnect = (): void => undefined
  ondisconnect = (_error: boolean, _code?: number, _reason?: string): void => undefined
  ondata = <T>(_data: T): void => undefined

  private socket: WebSocket | null = null
  private patience: ReturnType<typeof setTimeout> | undefined

  /** `registered`: Asterisk looks after it. */
  constructor(readonly url: string, private readonly registered: boolean) {
    const { protocol, host } = new URL(url)
    this.via_transport = protocol === 'wss:' ? 'WSS' : 'WS'
    this.sip_uri = `sip:${host};transport=ws`
  }

  connect(): void {
    if (this.socket) return
    const mine = new WebSocket(this.url, 'sip')
    mine.binaryType = 'arraybuffer'
    this.socket = mine
    this.wait(OPENS_MS)
    mine.onopen = () => {
      this.hear()
      this.onconnect()
    }
    mine.onmessage = ({ data }) => {
      this.hear()
      this.ondata(data)
    }
    mine.onclose = () => { this.lose() }
  }

  disconnect(): void {
    clearTimeout(this.patience)
    const old = this.socket
    this.socket = null
    if (!old) return
    old.onopen = old.onmessage = old.onclose = null
    old.close()
  }

  send(message: string | ArrayBuffer | Blob | ArrayBufferView<ArrayBuffer>): boolean {
    if (!this.isConnected()) return false
    this.socket!.send(message)
    return true
  }

  isConnected(): boolean {
    return this.socket?.readyState === WebSocket.OPEN
  }

  isConnecting(): boolean {
    return this.socket?.readyState === WebSocket.CONNECTING
  }

  /** Something was just asked: whoever is there answers soon. */
  expectAnswer(): void {
    if (this.isConnected()) this.wait(ANSWERS_MS)
  }

  private hear(): void {
    clearTimeout(this.patience)
    if (this.registered) this.wait(SILENT_MS)
  }

  private wait(ms: number): void {
    clearTimeout(this.patience)
    this.patience = setTimeout(() => { this.lose() }, ms)
  }

  private lose(): void {
    this.disconnect()
    this.ondisconnect(true)
  }
}
