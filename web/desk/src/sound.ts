// What the page itself sounds: the ring, 450 Hz one second on and four off as on any telephone in China (GB/T 3380). It is one
// sound that repeats itself: the timers of a page in the background run late, or once a minute.
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

export function quiet(): void {
  ringing?.stop()
  ringing = null
}
