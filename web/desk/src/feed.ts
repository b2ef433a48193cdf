// How every queue and seat stands, and the call at one's own seat, as the hotline tells it (docs/desk.md).
import { computed, reactive, ref } from 'vue'

import { Refused, api } from './api'
import { now } from './clock'
import { over } from './session'

export type SeatState =
  | 'logged_out' | 'not_ready' | 'ready' | 'reserved' | 'ringing' | 'calling' | 'talking' | 'holding' | 'wrap_up'

export interface SeatNow {
  readonly state: SeatState
  readonly adviser: string | null
  readonly since: string
  readonly reason: string
}

export interface QueueNow {
  readonly waiting: number
  readonly longest_wait_ms: number
  readonly callbacks: number
  readonly updated_at: string
}

export interface Earlier {
  readonly call_id: string
  readonly at: string
  readonly line: string | null
  readonly outcome: string | null
  readonly called_back: boolean
  readonly queue: string | null
  readonly adviser: string | null
  readonly visit_outcome: string | null
  readonly waited_ms: number | null
  readonly talked_ms: number | null
  readonly score: number | null
  readonly chosen: readonly string[]
  readonly services: readonly string[]
  readonly category: string | null
  readonly topic: string | null
  readonly result: string | null
  readonly note: string | null
  readonly due_at: string | null
}

export interface Before {
  readonly calls: number
  readonly messages: number
  readonly callbacks: number
  readonly newest: readonly Earlier[]
}

/** Somebody else is asked about the call, or a lead takes it over. */
export interface Asking {
  readonly by: string
  readonly seat: string | null
  readonly adviser: string | null
  readonly outside: string | null
  readonly state: 'ringing' | 'consulting' | 'conference'
  readonly take_over: boolean
}

export interface CallNow {
  readonly call_id: string
  readonly visit: string
  readonly seat: string
  readonly adviser: string
  readonly state: 'ringing' | 'calling' | 'talking' | 'holding' | 'apart' | 'consulting' | 'conference'
  readonly since: string
  readonly arrived_at: string
  readonly waited_ms: number
  readonly line: string
  readonly queue: string | null
  readonly urgency: 'spare' | 'normal' | 'promised' | 'urgent' | 'crisis'
  readonly language: string | null
  readonly number: string | null
  readonly place: string
  readonly chosen: readonly string[]
  readonly verified: { readonly kind: 'id_card' | 'card'; readonly ends_in: string } | null
  readonly callback: boolean
  readonly asking: Asking | null
  readonly history: 'looking' | 'known' | 'unknown'
  readonly before: Before | null
}

export type Result = 'answered' | 'to_call_back' | 'passed_on' | 'unresolved' | 'no_question'

export interface Form {
  readonly visit: string
  readonly call_id: string
  readonly adviser: string
  readonly number: string | null
  readonly queue: string | null
  readonly begun_at: string
  readonly category: string
  readonly topic: string
  readonly result: Result | ''
  readonly note: string
  readonly due_at: string | null
}

type Told =
  | { readonly kind: 'seat'; readonly seat: string; readonly now: SeatNow }
  | { readonly kind: 'queue'; readonly queue: string; readonly now: QueueNow }
  | { readonly kind: 'seat_gone'; readonly seat: string }
  | { readonly kind: 'queue_gone'; readonly queue: string }
  | { readonly kind: 'call'; readonly seat: string; readonly now: CallNow }
  | { readonly kind: 'call_gone'; readonly seat: string }
  | { readonly kind: 'form'; readonly form: Form }
  | { readonly kind: 'form_gone'; readonly visit: string }

const SESSION_OVER = 4401
const FIRST_RETRY_MS = 300
const LAST_RETRY_MS = 3000
/** The hotline says something every second, if only that nothing is new. */
const SILENT_MS = 3000

/** Whether what is shown is so at this moment. */
export const live = ref(false)
/** The network is away: not the hotline closed the connection, it carries nothing. The voice goes by the same network. */
export const silent = ref(false)
/** When the hotline last told something, by its clock: a way that is cut may leave the connection open, and tells nobody. */
export const heardAt = ref(0)
/** Whether all has been told once since somebody signed in. */
export const told = ref(false)
export const seats = reactive(new Map<string, SeatNow>())
export const queues = reactive(new Map<string, QueueNow>())
export const calls = reactive(new Map<string, CallNow>())
/** Conversations of one's own that are to be written down, by visit. */
export const forms = reactive(new Map<string, Form>())

export const seatsInOrder = computed(() => [...seats.entries()].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })))
export const queuesInOrder = computed(() => [...queues.entries()].sort(([a], [b]) => a.localeCompare(b)))

let socket: WebSocket | null = null
let retry: ReturnType<typeof setTimeout> | undefined
let wait = FIRST_RETRY_MS
let patience: ReturnType<typeof setTimeout> | undefined

/** Be told from now on; a connection that is lost is opened again, and all is told anew on it. */
export function open(): void {
  drop()
  const mine = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/feed`)
  socket = mine
  expectNews()
  let first = true
  mine.onmessage = ({ data }: MessageEvent<string>) => {
    if (first) {
      first = false
      seats.clear()
      queues.clear()
      calls.clear()
      forms.clear()
    }
    live.value = told.value = true
    silent.value = false
    heardAt.value = now.value
    expectNews()
    wait = FIRST_RETRY_MS
    for (const message of JSON.parse(data) as Told[]) take(message)
  }
  mine.onclose = ({ code }) => {
    if (socket !== mine) return
    clearTimeout(patience)
    live.value = false
    if (!navigator.onLine) silent.value = true
    if (code === SESSION_OVER) {
      close()
      over()
      return
    }
    if (first)  // a browser does not say why it was not let in
      api.whoami().catch((error: unknown) => {
        if (error instanceof Refused && error.status === 401) over()
      })
    retry = setTimeout(open, wait)
    wait = Math.min(LAST_RETRY_MS, wait * 2)
  }
}

/** A network that is cut tells a page nothing: the connection stays open, and nothing comes. */
function expectNews(): void {
  clearTimeout(patience)
  patience = setTimeout(() => {
    silent.value = true
    open()
  }, SILENT_MS)
}

export function close(): void {
  drop()
  told.value = silent.value = false
}

function drop(): void {
  clearTimeout(retry)
  clearTimeout(patience)
  const old = socket
  socket = null
  old?.close()
  live.value = false
}

function take(message: Told): void {
  switch (message.kind) {
    case 'seat': seats.set(message.seat, message.now); break
    case 'queue': queues.set(message.queue, message.now); break
    case 'call': calls.set(message.seat, message.now); break
    case 'form': forms.set(message.form.visit, message.form); break
    case 'form_gone': forms.delete(message.visit); break
    case 'seat_gone': seats.delete(message.seat); break
    case 'queue_gone': queues.delete(message.queue); break
    case 'call_gone': calls.delete(message.seat); break
  }
}
