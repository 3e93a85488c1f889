package io.holdfast.modeswitch;

import java.util.Arrays;
import java.util.Set;

/** Links that lose, repeat, delay, reorder and are cut one way; and the queue of what is under way. */
final class SimNetwork {
    /** A message, or something that a member tells itself. */
    static final class Mail {
        long at;
        long order;
        int to;
        int from;

        /** Life of the receiver, when it is for this life only; else -1. */
        int life;

        long sentAt;
        Object body = "";
    }

    private final Simulation world;
    private Mail[] heap = new Mail[128];
    private int size;
    private long orders;
    final boolean[][] cut = new boolean[4][4];
    final boolean[] isolated;
    double loss;
    boolean slow;

    /** Messages of this kind take long; none, mostly. */
    Set<Class<?>> crawls = Set.of();

    SimNetwork(Simulation world, int members) {
        this.world = world;
        isolated = new boolean[members];
    }

    boolean open(SimMember from, SimMember to) {
        return !isolated[from.index]
                && !isolated[to.index]
                && !cut[from.site().code()][to.site().code()];
    }

    boolean bothWays(SimMember a, SimMember b) {
        return open(a, b) && open(b, a);
    }

    void heal() {
        for (boolean[] row : cut) {
            Arrays.fill(row, false);
        }
        Arrays.fill(isolated, false);
        crawls = Set.of();
        loss = 0;
    }

    /** Sends between members. */
    void send(SimMember from, SimMember to, Object body) {
        if (world.calm) {
            put(to.index, from.index, -1, body, world.now + 1 + world.random(8));
            return;
        }
        if (!open(from, to) || world.chance(loss)) {
            return;
        }
        int dice = world.random(32);
        long delay = dice < (slow ? 18 : 28) ? 1 + world.random(20) : 1 + world.random(400);
        if (crawls.contains(body.getClass())) {
            delay += 200 + world.random(400);
        }
        put(to.index, from.index, -1, body, world.now + delay);
        if (dice == 31) {
            put(to.index, from.index, -1, body, world.now + 1 + world.random(800));
        }
    }

    /** The shell's own answer to its machine: lost in a crash. */
    void self(SimMember member, Object body, int delay) {
        put(member.index, member.index, member.life, body, world.now + 1 + world.random(delay));
    }

    private void put(int to, int from, int life, Object body, long at) {
        Mail mail = new Mail();
        mail.to = to;
        mail.from = from;
        mail.life = life;
        mail.sentAt = world.now;
        mail.body = body;
        put(mail, at);
    }

    /** What comes to a process that is stopped waits for it. */
    void keep(Mail mail, long until) {
        put(mail, until + 1 + world.random(10));
    }

    private void put(Mail mail, long at) {
        mail.at = at;
        mail.order = orders++;
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        int i = size++;
        while (i > 0) {
            int parent = (i - 1) >>> 1;
            if (!before(mail, heap[parent])) {
                break;
            }
            heap[i] = heap[parent];
            i = parent;
        }
        heap[i] = mail;
    }

    private static boolean before(Mail a, Mail b) {
        return a.at < b.at || (a.at == b.at && a.order < b.order);
    }

    boolean due() {
        return size > 0 && heap[0].at <= world.now;
    }

    Mail take() {
        Mail first = heap[0];
        Mail last = heap[--size];
        int i = 0;
        while (true) {
            int child = 2 * i + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && before(heap[child + 1], heap[child])) {
                child++;
            }
            if (!before(heap[child], last)) {
                break;
            }
            heap[i] = heap[child];
            i = child;
        }
        heap[i] = last;
        return first;
    }
}
