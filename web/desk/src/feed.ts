// How every queue and seat stands, and the call at one's own seat, as the hotline tells it (docs/desk.md).
import { computed, reactive, ref } from 'vue'

import { Refused, api } from './api'
import { now } from './clock'
import { over } from './session'
import type { components } from './told'

// Shapes are those of docs/feed.asyncapi.yaml (`npm run types`).
type Shapes = components['schemas']
export type SeatNow = Shapes['SeatNow']
type QueueNow = Shapes['QueueNow']
export type CallNow = Shapes['CallNow']
export type Asking = Shapes['Asking']
export type Before = Shapes['Before']
export type Earlier = Shapes['Earlier']
export type Form = Shapes['Form']
export type Result = Exclude<Form['result'], ''>
/** What a lead has written, as leads see it, and as whoever is to read it does. */
export type SentNotice = Shapes['Notice']
export type Moved = Shapes['SkillsTold']['moved']
export type Crisis = Shapes['Crisis']
export type Notice = Omit<Shapes['NoticeTold'], 'kind'>
type News = Shapes['News']

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
/** What leads have written to this adviser, not read yet. */
export const notices = reactive(new Map<string, Notice>())
/** For leads: what they have written. */
export const sent = reactive(new Map<string, SentNotice>())
/** Skills that were moved for today, by adviser; for leads, and one's own. */
export const movedSkills = reactive(new Map<string, Moved>())
/** Seats at which nobody has been heard in a conversation for too long: one's own, or for leads all. */
export const silences = reactive(new Set<string>())
/** For leads: seats that have a call about life and death. */
export const crises = reactive(new Map<string, Crisis>())
/** Since when a seat talks, holds included, as far as this page knows. */
export const talkingSince = reactive(new Map<string, string>())

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
      forget()
    }
    live.value = told.value = true
    silent.value = false
    heardAt.value = now.value
    expectNews()
    wait = FIRST_RETRY_MS
    for (const message of JSON.parse(data) as News) take(message)
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
  forget()
  told.value = silent.value = false
}

/** What was told may be so no more; and what one person may see is not for the next one at this machine. */
function forget(): void {
  for (const kept of [seats, queues, calls, forms, notices, sent, movedSkills, crises, silences, talkingSince]) kept.clear()
}

function drop(): void {
  clearTimeout(retry)
  clearTimeout(patience)
  const old = socket
  socket = null
  old?.close()
  live.value = false
}

function take(message: News[number]): void {
  switch (message.kind) {
    case 'seat': takeSeat(message.seat, message.now); break
    case 'queue': queues.set(message.queue, message.now); break
    case 'call': calls.set(message.seat, message.now); break
    case 'form': forms.set(message.form.visit, message.form); break
    case 'form_gone': forms.delete(message.visit); break
    case 'notice': notices.set(message.notice, message); break
    case 'notice_gone': notices.delete(message.notice); break
    case 'sent': sent.set(message.sent.notice, message.sent); break
    case 'sent_gone': sent.delete(message.notice); break
    case 'silent': silences.add(message.seat); break
    case 'silence_over': silences.delete(message.seat); break
    case 'crisis': crises.set(message.seat, message.now); break
    case 'crisis_gone': crises.delete(message.seat); break
    case 'skills':
      if (Object.keys(message.moved).length > 0) movedSkills.set(message.adviser, message.moved)
      else movedSkills.delete(message.adviser)
      break
    case 'seat_gone': seats.delete(message.seat); break
    case 'queue_gone': queues.delete(message.queue); break
    case 'call_gone': calls.delete(message.seat); break
  }
}

function takeSeat(number: string, now: SeatNow): void {
  seats.set(number, now)
  if (now.state !== 'talking' && now.state !== 'holding') talkingSince.delete(number)
  else if (!talkingSince.has(number)) talkingSince.set(number, now.since)
}
