package io.holdfast.chaos.fault;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntConsumer;

/**
 * One queue of a network namespace's packet filter (NFQUEUE): the kernel puts packets there, keeps
 * them, and tells only their numbers; each goes on once it is {@linkplain #pass passed}. For one
 * thread.
 *
 * <p>A message is a netlink header, a netfilter header, and attributes, as {@code
 * linux/netfilter/nfnetlink_queue.h} has them; numbers inside are big endian, headers are the
 * machine's.
 *
 * <pre>
 * 0  u32 length   4  u16 type   6  u16 flags   8  u32 sequence   12  u32 port
 * 16 u8 family    17 u8 version 18 u16 queue (big endian)
 * 20 attributes, each: u16 length with these four bytes, u16 type, payload, padded to four
 * </pre>
 */
final class PacketQueue implements AutoCloseable {
    private static final int HEADERS = 20;
    private static final int ERROR = 2;
    private static final int SUBSYSTEM = 3 << 8;
    private static final int PACKET = SUBSYSTEM;
    private static final int CONFIG = SUBSYSTEM | 2;
    private static final int VERDICT_BATCH = SUBSYSTEM | 3;
    private static final int REQUEST = 1;
    private static final int ACKNOWLEDGE = 4;

    private static final int PACKET_HEADER = 1;
    private static final int VERDICT_HEADER = 2;
    private static final int ACCEPT = 1;

    private static final int COMMAND = 1;
    private static final int PARAMETERS = 2;
    private static final int LENGTH = 3;
    private static final int MASK = 4;
    private static final int FLAGS = 5;
    private static final int BIND = 1;
    private static final int COPY_NOTHING = 1;
    private static final int KEEP_LARGE = 4;

    /** Packets that the kernel keeps, and bytes of messages about them. */
    private static final int MOST_PACKETS = 1 << 16;

    private static final int BUFFER = 16 << 20;
    private static final int MESSAGE = 1 << 14;
    private static final long ANSWER_NANOS = 1_000_000_000;

    private final int socket;
    private final int number;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment in = arena.allocate(MESSAGE, Long.BYTES);

    private PacketQueue(int socket, int number) {
        this.socket = socket;
        this.number = number;
    }

    /**
     * A queue in the network namespace of a process. Rules of the filter name it by its number.
     *
     * @throws IOException also when the kernel has none
     */
    static PacketQueue open(long pid, int number) throws IOException {
        PacketQueue queue = new PacketQueue(Kernel.netfilterSocket(pid, BUFFER), number);
        try {
            queue.bind();
            return queue;
        } catch (IOException | RuntimeException e) {
            queue.close();
            throw e;
        }
    }

    private void bind() throws IOException {
        ByteBuffer attributes = ByteBuffer.allocate(64);
        attribute(attributes, COMMAND, 4).put((byte) BIND).put((byte) 0).putShort((short) 0);
        attribute(attributes, PARAMETERS, 5).putInt(0).put((byte) COPY_NOTHING);
        pad(attributes);
        attribute(attributes, LENGTH, 4).putInt(MOST_PACKETS);
        // What the sender left to be cut into packets and summed is left so: no packet is touched.
        attribute(attributes, MASK, 4).putInt(KEEP_LARGE);
        attribute(attributes, FLAGS, 4).putInt(KEEP_LARGE);
        send(CONFIG, REQUEST | ACKNOWLEDGE, attributes.flip());
        MemorySegment polled = arena.allocate(Long.BYTES, Long.BYTES);
        pollfd(polled.asByteBuffer());
        Kernel.poll(polled, ANSWER_NANOS);
        ByteBuffer answer = received();
        if (answer.getShort(4) != ERROR || answer.getInt(16) != 0) {
            throw new IOException("queue " + number + ": " + Kernel.reason(-answer.getInt(16)));
        }
    }

    private static ByteBuffer attribute(ByteBuffer into, int type, int length) {
        into.order(ByteOrder.nativeOrder());
        into.putShort((short) (4 + length)).putShort((short) type);
        return into.order(ByteOrder.BIG_ENDIAN);
    }

    private static void pad(ByteBuffer into) {
        while (into.position() % 4 != 0) {
            into.put((byte) 0);
        }
    }

    private void send(int type, int flags, ByteBuffer attributes) throws IOException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment message = call.allocate(HEADERS + attributes.remaining(), Long.BYTES);
            message.asByteBuffer()
                    .order(ByteOrder.nativeOrder())
                    .putInt((int) message.byteSize())
                    .putShort((short) type)
                    .putShort((short) flags)
                    .putInt(0)
                    .putInt(0)
                    .putShort((short) 0)
                    .order(ByteOrder.BIG_ENDIAN)
                    .putShort((short) number)
                    .put(attributes);
            Kernel.send(socket, message);
        }
    }

    private ByteBuffer received() throws IOException {
        int length = Kernel.receive(socket, in);
        return in.asSlice(0, length).asByteBuffer().order(ByteOrder.nativeOrder());
    }

    /** Writes the {@code struct pollfd} that waits for this queue's packets. */
    void pollfd(ByteBuffer into) {
        into.order(ByteOrder.nativeOrder())
                .putInt(socket)
                .putShort((short) Kernel.POLLIN)
                .putShort((short) 0);
    }

    /** Tells the numbers of packets that have arrived, in their order, until there are no more. */
    void arrived(IntConsumer told) throws IOException {
        while (true) {
            try {
                ByteBuffer messages = received();
                for (int at = 0; at < messages.limit(); at += padded(messages.getInt(at))) {
                    if (messages.getShort(at + 4) == PACKET) {
                        told.accept(packet(messages, at));
                    }
                }
            } catch (Kernel.Refused e) {
                if (e.errno() == Kernel.EAGAIN) {
                    return;
                }
                if (e.errno() != Kernel.ENOBUFS) {
                    throw e;
                }
            }
        }
    }

    private static int padded(int length) {
        return (length + 3) & ~3;
    }

    private static int packet(ByteBuffer messages, int at) throws IOException {
        int end = at + messages.getInt(at);
        for (int a = at + HEADERS; a < end; a += padded(messages.getShort(a) & 0xffff)) {
            if (messages.getShort(a + 2) == PACKET_HEADER) {
                return Integer.reverseBytes(messages.getInt(a + 4));
            }
        }
        throw new IOException("a packet without a number");
    }

    /** Lets a packet go on, and all that have arrived before it. */
    void pass(int packet) throws IOException {
        ByteBuffer attributes = ByteBuffer.allocate(12);
        attribute(attributes, VERDICT_HEADER, 8).putInt(ACCEPT).putInt(packet);
        send(VERDICT_BATCH, REQUEST, attributes.flip());
    }

    /** What was not passed is dropped. */
    @Override
    public void close() {
        Kernel.close(socket);
        arena.close();
    }
}
