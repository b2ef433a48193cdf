// What the page asks of the hotline. Shapes are those of docs/desk.openapi.yaml (`npm run types`).
import { hear } from './clock'
import type { components } from './described'

type Shapes = components['schemas']
export type SignedIn = Shapes['SignedIn']
export type Board = Shapes['BoardNow']
export type WhoWaits = Shapes['WhoWaits']
export type Limits = Shapes['Limits']
export type AllSkills = Shapes['AllSkills']
export type PagePhone = Shapes['PagePhone']
export type FollowUp = Shapes['FollowUp']
export type MyFigures = Shapes['MyFigures']
export type Colleague = Shapes['Colleague']

/** The hotline says no: `status` is that of HTTP, the message its reason. 0: it did not answer. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    reason: string,
  ) {
    super(reason)
  }
}

/** So long the hotline is waited for; where somebody's telephone rings first, longer than it rings. */
const ANSWERS_MS = 10_000
const RINGS_MS = 30_000

let secret = ''

/** The secret of the session, which every request shows that changes something. */
export function show(csrf: string): void {
  secret = csrf
}

async function ask<Answer>(method: string, path: string, body?: unknown, ms = ANSWERS_MS): Promise<Answer> {
  const headers: Record<string, string> = {}
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (method !== 'GET' && secret !== '') headers['X-CSRF-Token'] = secret
  let response: Response
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ms),
    })
  } catch {
    throw new Refused(0, '')
  }
  hear(response.headers.get('Date'))
  if (!response.ok) {
    const told: unknown = await response.json().catch(() => null)
    const detail = typeof told === 'object' && told !== null && 'detail' in told ? String(told.detail) : ''
    throw new Refused(response.status, detail)
  }
  return (response.status === 204 ? undefined : await response.json()) as Answer
}

const seat = (number: string, wish: string) => `/api/v1/seats/${encodeURIComponent(number)}/${wish}`

const form = (visit: string) => `/api/v1/forms/${encodeURIComponent(visit)}`

export const api = {
  whoami: () => ask<SignedIn>('GET', '/api/v1/session'),
  signIn: (typed: Shapes['SignIn']) => ask<SignedIn>('POST', '/api/v1/session', typed),
  ways: () => ask<Shapes['Ways']>('GET', '/api/v1/session/ways'),
  board: () => ask<Board>('GET', '/api/v1/board'),
  signOut: () => ask<undefined>('DELETE', '/api/v1/session'),
  choosePassword: (chosen: Shapes['Chosen']) => ask<SignedIn>('PUT', '/api/v1/session/password', chosen),
  openPage: (number: string) => ask<PagePhone>('POST', seat(number, 'page')),
  ready: (number: string) => ask<Shapes['Done']>('POST', seat(number, 'ready')),
  notReady: (number: string, reason: string) => ask<Shapes['Done']>('POST', seat(number, 'not-ready'), { reason }),
  moreTime: (number: string) => ask<Shapes['Done']>('POST', seat(number, 'more-time')),
  logOut: (number: string) => ask<Shapes['Done']>('POST', seat(number, 'log-out')),
  redial: (number: string) => ask<Shapes['Done']>('POST', seat(number, 'redial')),
  dial: (number: string, followUp: string) => ask<Shapes['Done']>('POST', seat(number, 'dial'), { follow_up: followUp }),
  myFigures: () => ask<MyFigures>('GET', '/api/v1/mine/figures'),
  followUps: () => ask<Shapes['MyFollowUps']>('GET', '/api/v1/mine/follow-ups'),
  followUpDone: (id: string) => ask<undefined>('POST', `/api/v1/mine/follow-ups/${encodeURIComponent(id)}/done`),
  directory: () => ask<Shapes['Directory']>('GET', '/api/v1/directory'),
  categories: () => ask<Shapes['Categories']>('GET', '/api/v1/categories'),
  writeForm: (visit: string, draft: Shapes['Draft']) => ask<undefined>('PUT', form(visit), draft),
  saveForm: (visit: string, draft: Shapes['Draft']) => ask<undefined>('POST', form(visit), draft),
  transfer: (number: string, queue: string) => ask<Shapes['Done']>('POST', seat(number, 'transfer'), { queue }),
  outside: () => ask<Shapes['Outside']>('GET', '/api/v1/outside'),
  consult: (number: string, whom: Shapes['Whom']) => ask<Shapes['Done']>('POST', seat(number, 'consult'), whom),
  conference: (number: string) => ask<Shapes['Done']>('POST', seat(number, 'conference')),
  takeBack: (number: string) => ask<Shapes['Done']>('POST', seat(number, 'take-back')),
  handOver: (number: string) => ask<Shapes['Done']>('POST', seat(number, 'hand-over')),
  takeOver: (number: string, from: string) => ask<unknown>('POST', seat(number, 'take-over'), { from }),
  move: (number: string) => ask<Shapes['Done']>('POST', seat(number, 'move')),
  join: (number: string, how: 'listen' | 'whisper' | 'barge', from: string) => ask<unknown>('POST', seat(number, how), { from }, RINGS_MS),
  leaveCall: (number: string) => ask<unknown>('POST', seat(number, 'leave')),
  crisis: (number: string) => ask<Shapes['Done']>('POST', seat(number, 'crisis')),
  waiting: () => ask<WhoWaits>('GET', '/api/v1/waiting'),
  limits: () => ask<Limits>('GET', '/api/v1/limits'),
  pull: (number: string, visit: string) => ask<Shapes['Done']>('POST', seat(number, 'pull'), { visit }),
  sendNotice: (said: Shapes['Said']) => ask<Shapes['Sent']>('POST', '/api/v1/notices', said),
  readNotice: (notice: string) => ask<undefined>('POST', `/api/v1/notices/${encodeURIComponent(notice)}/read`),
  skills: () => ask<AllSkills>('GET', '/api/v1/skills'),
  moveSkill: (adviser: string, wish: Shapes['Wish']) => ask<undefined>('PUT', `/api/v1/skills/${encodeURIComponent(adviser)}`, wish),
  verify: (number: string) => ask<Shapes['Done']>('POST', seat(number, 'verify')),
}
