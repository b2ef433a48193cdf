// The telephone in the page: SIP over a websocket to Asterisk (/sip), the voice by WebRTC. It lives outside every view, so that
// no change of view touches a call. What the hotline says of the call comes by the feed; here is only the voice.
import JsSIP from 'jssip'
import type { IncomingRTCSessionEvent, OutgoingRTCSessionEvent } from 'jssip/lib/UA'
import type { RTCSession } from 'jssip/lib/RTCSession'
import { reactive } from 'vue'

import { Refused, api } from './api'
import { chosen, letGo, microphone } from './devices'
import { quiet, ring } from './sound'
import { giveBack, hold as holdTab } from './tab'
import { Wire } from './wire'

/** Another page took the seat: this one must not ask for it again by itself. */
const TAKEN = 409

interface Phone {
  /** Whose telephone this page is; empty: nobody's. */
  seat: string
  /** `lost`: was there, and tries again. */
  line: 'off' | 'connecting' | 'there' | 'lost'
  call: 'none' | 'ringing' | 'up'
  /** The voice of the call does not come or go now. */
  voiceless: boolean
  muted: boolean
  held: boolean
  /** Answer without a key. */
  automatic: boolean
  trouble: '' | 'microphone' | 'taken' | 'elsewhere' | 'refused'
}

const KEPT = 'rexian.automatic'
const RETRY_MS = 1500
/** A call that is asked for comes at once, or not at all. */
const EXPECTED_MS = 5000
const AGAIN_MS = 150
const TRIES = 20
const NO_CALL = { call: 'none', voiceless: false, muted: false, held: false } as const

export const phone = reactive<Phone>({
  seat: '',
  line: 'off',
  call: 'none',
  voiceless: false,
  muted: false,
  held: false,
  automatic: localStorage.getItem(KEPT) === 'yes',
  trouble: '',
})

let agent: JsSIP.UA | null = null
let wire: Wire | null = null
let session: RTCSession | null = null
let again: ReturnType<typeof setTimeout> | undefined
let expectedUntil = 0
/** When a call here ended, by `Date.now()`; 0: there was none since this page was loaded. */
export let lastEnded = 0
const speaker = new Audio()
speaker.autoplay = true

/** Be the telephone of this seat from now on. */
export async function start(number: string): Promise<void> {
  stop()
  phone.seat = number
  phone.trouble = ''
  if (!(await holdTab())) {
    phone.trouble = 'elsewhere'
    return
  }
  phone.line = 'connecting'
  if ((await microphone()) === null) {
    phone.trouble = 'microphone'
    phone.line = 'off'
    return
  }
  await register()
}

/** No telephone here any more. A call that is up goes on until the hotline ends it. */
export function stop(): void {
  clearTimeout(again)
  agent?.stop()
  agent = wire = null
  session = null
  quiet()
  letGo()
  giveBack()
  Object.assign(phone, { seat: '', line: 'off', ...NO_CALL, trouble: '' })
}

async function register(): Promise<void> {
  const mine = phone.seat
  let given
  try {
    given = await api.openPage(mine)
  } catch (error) {
    const status = error instanceof Refused ? error.status : 0
    phone.trouble = status === TAKEN ? 'taken' : status === 0 || status >= 500 ? '' : 'refused'
    phone.line = phone.trouble === '' ? 'lost' : 'off'
    if (phone.trouble === '') again = setTimeout(() => { if (phone.seat === mine) void register() }, RETRY_MS)
    return
  }
  if (phone.seat !== mine) return
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  wire = new Wire(`${scheme}://${location.host}/sip`, true)
  const fresh = new JsSIP.UA({
    sockets: [wire],
    uri: `sip:${given.user}@${location.hostname}`,
    password: given.password,
    register: true,
    register_expires: 120,
    session_timers: false,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 2,
    user_agent: 'Rexian desk',
  })
  agent = fresh
  fresh.on('registered', () => {
    if (agent !== fresh) return
    const was = phone.line
    phone.line = 'there'
    if (was === 'lost' && session) meetAgain(session, TRIES)
  })
  fresh.on('disconnected', () => { if (agent === fresh) phone.line = 'lost' })
  fresh.on('unregistered', () => { if (agent === fresh) phone.line = 'lost' })
  fresh.on('registrationFailed', ({ response }) => {
    if (agent !== fresh || !response) return
    // Asterisk has started anew and forgot the password, or another page has the seat now: ask for it again.
    phone.line = 'lost'
    fresh.stop()
    again = setTimeout(() => { if (phone.seat === mine) void register() }, RETRY_MS)
  })
  fresh.on('newRTCSession', (event: IncomingRTCSessionEvent | OutgoingRTCSessionEvent) => {
    if (event.originator === 'remote') incoming(event.session)
  })
  fresh.start()
}

function incoming(call: RTCSession): void {
  if (session) {
    call.terminate({ status_code: 486 })
    return
  }
  session = call
  phone.call = 'ringing'
  const expected = Date.now() < expectedUntil
  expectedUntil = 0
  if (!expected) ring()
  call.on('peerconnection', ({ peerconnection }: { peerconnection: RTCPeerConnection }) => {
    peerconnection.addEventListener('iceconnectionstatechange', () => {
      if (session !== call) return
      phone.voiceless = ['disconnected', 'failed'].includes(peerconnection.iceConnectionState)
      if (peerconnection.iceConnectionState === 'failed') meetAgain(call, TRIES)
    })
    peerconnection.addEventListener('track', ({ streams, track }) => {
      speaker.srcObject = streams[0] ?? new MediaStream([track])
      if (chosen.speaker !== '' && 'setSinkId' in speaker) void speaker.setSinkId(chosen.speaker).catch(() => undefined)
      void speaker.play().catch(() => undefined)
    })
  })
  call.on('accepted', () => {
    quiet()
    phone.call = 'up'
  })
  const gone = (): void => {
    if (session !== call) return
    session = null
    lastEnded = Date.now()
    quiet()
    Object.assign(phone, NO_CALL)
  }
  call.on('ended', gone)
  call.on('failed', gone)
  if (phone.automatic || expected) void answer()
}

/** The next call is one that this page asked for: it is answered without a ring, if it comes soon. `is` false: it does not come. */
export function expect(is = true): void {
  expectedUntil = is ? Date.now() + EXPECTED_MS : 0
}

export async function answer(): Promise<void> {
  const call = session
  const stream = await microphone()
  if (!call || call !== session || phone.call !== 'ringing') return
  if (stream === null) {
    phone.trouble = 'microphone'
    return
  }
  stream.getAudioTracks().forEach((track) => { track.enabled = true })
  call.answer({ mediaStream: stream, pcConfig: { iceServers: [], rtcpMuxPolicy: 'require' } })
}

export function hangUp(): void {
  session?.terminate()
}

export function mute(on: boolean): void {
  if (phone.call !== 'up') return
  if (on) session?.mute({ audio: true })
  else session?.unmute({ audio: true })
  phone.muted = on
}

/** What was wished last counts, however fast the keys come. */
export function hold(on: boolean): void {
  if (!session || phone.call !== 'up') return
  phone.held = on
  ask(session, on, TRIES)
}

/** Asked again for a while: one thing after the other, and in the first instants of a call nothing yet. */
function ask(call: RTCSession, on: boolean, tries: number): void {
  if (session !== call || phone.held !== on || call.isOnHold().local === on) return
  if (on ? call.hold() : call.unhold()) return
  if (tries === 0) phone.held = !on
  else setTimeout(() => { ask(call, on, tries - 1) }, AGAIN_MS)
}

/** By the new connection, as Asterisk knows only the old one; and the voice looks for its way anew. */
function meetAgain(call: RTCSession, tries: number): void {
  if (session !== call || phone.call !== 'up' || phone.line !== 'there') return
  if (call.renegotiate({ rtcOfferConstraints: { iceRestart: true } })) return
  if (tries > 0) setTimeout(() => { meetAgain(call, tries - 1) }, AGAIN_MS)
}

/** The network was away: is it still there for the telephone? */
export function probe(): void {
  if (phone.line !== 'there') return
  agent?.register()
  wire?.expectAnswer()
}

export function key(digit: string): void {
  session?.sendDTMF(digit, { transportType: 'RFC2833' as never })
}

export function answerAutomatically(on: boolean): void {
  phone.automatic = on
  localStorage.setItem(KEPT, on ? 'yes' : 'no')
}
