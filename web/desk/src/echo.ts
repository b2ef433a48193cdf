// The voice check: what the adviser says goes to the hotline and comes back, and is heard two seconds later, so that it cannot be
// taken for one's own voice. It goes the way that a caller's voice will go: websocket, Asterisk, UDP, this microphone and this
// loudspeaker.
import JsSIP from 'jssip'
import { ref } from 'vue'

import { Refused, api } from './api'
import { chosen, level, loudness, microphone } from './devices'
import { giveBack, hold as holdTab } from './tab'
import { Wire } from './wire'

/** `heard`: it came back. What follows it is why it did not. */
export type Echo =
  | 'off' | 'connecting' | 'speak' | 'heard'
  | 'elsewhere' | 'refused' | 'no_websocket' | 'no_voice' | 'not_spoken' | 'not_back'

const LATER_S = 2
const CONNECTS_MS = 4000
const FOUND_MS = 4000
const SPOKEN_MS = 8000
const LISTENED_MS = 4000
const LOOK_MS = 100
/** Of `level`: a voice is above it, a quiet room is not. */
const VOICE = 0.3

export const echo = ref<Echo>('off')

let end: (() => void) | null = null

/** With the telephone of this seat, where nobody else sits. Ends by itself. */
export async function test(seat: string): Promise<void> {
  stop()
  echo.value = 'connecting'
  let over = false
  const undo: (() => void)[] = []
  const finish = (how: Echo): void => {
    if (over) return
    over = true
    end = null
    echo.value = how
    for (const each of undo.reverse()) each()
  }
  end = () => { finish('off') }
  let patience: ReturnType<typeof setTimeout> | undefined
  const within = (ms: number, how: Echo): void => {
    clearTimeout(patience)
    patience = setTimeout(() => { finish(how) }, ms)
  }
  undo.push(() => { clearTimeout(patience) })

  const stream = await microphone()
  if (over) return
  if (!stream) return finish('off') // what is wrong with it is told already
  if (!(await holdTab())) return finish('elsewhere')
  undo.push(giveBack)
  let given
  try {
    given = await api.openPage(seat)
  } catch (error) {
    return finish(error instanceof Refused && error.status !== 0 && error.status < 500 ? 'refused' : 'no_websocket')
  }
  if (over) return
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  const agent = new JsSIP.UA({
    sockets: [new Wire(`${scheme}://${location.host}/sip`, false)],
    uri: `sip:${given.user}@${location.hostname}`,
    password: given.password,
    register: false,
    session_timers: false,
    user_agent: 'Rexian desk',
  })
  undo.push(() => { agent.stop() })
  within(CONNECTS_MS, 'no_websocket')
  agent.on('connected', () => {
    within(FOUND_MS, 'no_voice')
    const call = agent.call(`sip:echo@${location.hostname}`, { mediaStream: stream, pcConfig: { iceServers: [], rtcpMuxPolicy: 'require' } })
    const connection = call.connection
    call.on('failed', () => { finish('refused') })
    call.on('ended', () => { finish('not_back') })
    connection.addEventListener('track', ({ streams, track }) => {
      const back = streams[0] ?? new MediaStream([track])
      connection.addEventListener('connectionstatechange', () => {
        if (connection.connectionState !== 'connected' || echo.value !== 'connecting') return
        clearTimeout(patience)
        listen(back, finish, undo)
      })
    })
  })
  agent.start()
}

export function stop(): void {
  end?.()
}

/** Play it later, and look whether the voice comes back. */
function listen(back: MediaStream, finish: (how: Echo) => void, undo: (() => void)[]): void {
  echo.value = 'speak'
  const context = new AudioContext()
  const pump = new Audio() // Chromium gives a context the sound of a connection only when an element has it, too
  pump.muted = true
  pump.srcObject = back
  const source = context.createMediaStreamSource(back)
  const analyser = context.createAnalyser()
  const later = context.createDelay(LATER_S + 1)
  const out = context.createMediaStreamDestination()
  later.delayTime.value = LATER_S
  source.connect(analyser)
  source.connect(later).connect(out)
  const player = new Audio()
  player.srcObject = out.stream
  if (chosen.speaker !== '' && 'setSinkId' in player) void player.setSinkId(chosen.speaker).catch(() => undefined)
  void player.play().catch(() => undefined)

  const samples = new Float32Array(analyser.fftSize)
  const began = performance.now()
  let spoken = 0
  let heard = 0
  const timer = setInterval(() => {
    const now = performance.now()
    analyser.getFloatTimeDomainData(samples)
    if (level.value > VOICE) spoken ||= now
    if (spoken && loudness(samples) > VOICE) heard ||= now
    if (heard) {
      echo.value = 'heard' // and what comes is still to be listened to
      if (now - heard > LATER_S * 1000 + LISTENED_MS) finish('heard')
    } else if (spoken && now - spoken > LISTENED_MS) finish('not_back')
    else if (!spoken && now - began > SPOKEN_MS) finish('not_spoken')
  }, LOOK_MS)
  undo.push(() => {
    clearInterval(timer)
    pump.srcObject = player.srcObject = null
    void context.close()
  })
}
