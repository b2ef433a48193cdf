// What the page itself sounds: the ring, 450 Hz one second on and four off as on any telephone in China (GB/T 3380), and a word
// that there is something to read. The ring is one sound that repeats itself: the timers of a page in the background run late.
const [HZ, ON_S, ROUND_S, LOUD, EDGE_S] = [450, 1, 5, 0.2, 0.03]

let context: AudioContext | null = null
let ringing: AudioBufferSourceNode | null = null

function once(of: AudioContext): AudioBuffer {
  const buffer = of.createBuffer(1, ROUND_S * of.sampleRate, of.sampleRate)
  buffer.getChannelData(0).subarray(0, ON_S * of.sampleRate).forEach((_, at, samples) => {
    const s = at / of.sampleRate
    samples[at] = LOUD * Math.min(1, s / EDGE_S, (ON_S - s) / EDGE_S) * Math.sin(2 * Math.PI * HZ * s)
  })
  return buffer
}

export function ring(): void {
  if (ringing) return
  context ??= new AudioContext()
  void context.resume()
  ringing = context.createBufferSource()
  ringing.buffer = once(context)
  ringing.loop = true
  ringing.connect(context.destination)
  ringing.start()
}

/** There is something to read. */
export function chime(): void {
  context ??= new AudioContext()
  void context.resume()
  const tone = context.createOscillator()
  const level = context.createGain()
  const at = context.currentTime
  tone.frequency.value = 880
  level.gain.setValueAtTime(0, at)
  level.gain.linearRampToValueAtTime(0.08, at + EDGE_S)
  level.gain.linearRampToValueAtTime(0, at + 0.25)
  tone.connect(level).connect(context.destination)
  tone.start(at)
  tone.stop(at + 0.25)
}

export function quiet(): void {
  ringing?.stop()
  ringing = null
}
