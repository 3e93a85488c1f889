package io.holdfast.modeswitch;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * One leader, three members of the other site, lost and reordered messages, wiped storages, and a
 * promotion that reads two admitted members after their promise. Invariant (I2, I8): whatever the
 * leader called protected, at any time, is in what the promotion reads. Each rule of the book is
 * taken away in turn, by lying to it, and must be missed.
 */
class SiteAckBookSimulation {
    private static final UUID LINEAGE = new UUID(1, 1);
    private static final Epoch OLD = new Epoch(1, Site.LOCAL);
    private static final Epoch NEW = new Epoch(2, Site.DR);
    private static final int SEEDS = 4_000;

    private enum Lie {
        NONE,
        /** A wiped member is taken for what it was. */
        WIPED_MEMBER_COUNTS,
        /** A wiped member is admitted at once. */
        NO_BARRIER,
        /** Members acknowledge to the old leader after they promised another epoch. */
        NO_GATE,
        /** The promotion reads only one member. */
        READS_ONE
    }

    private static final class Member {
        final String node;
        int incarnation;
        long durable = -1;
        boolean admitted = true;
        boolean promised;

        Member(String node) {
            this.node = node;
        }
    }

    private record Message(SiteAck ack, Member from, int incarnation) {}

    private static boolean violates(long seed, Lie lie) {
        Random random = new Random(seed);
        List<Member> members = List.of(new Member("d1"), new Member("d2"), new Member("d3"));
        SiteAckBook book = new SiteAckBook(LINEAGE, OLD, Set.of("d1", "d2", "d3"), 2);
        members.forEach(m -> book.admit(m.node, new UUID(0, 0)));
        List<Message> network = new ArrayList<>();
        long leaderLast = -1;
        long everProtected = -1;
        long read = -1;
        boolean promoted = false;
        for (int step = 0; step < 150; step++) {
            Member m = members.get(random.nextInt(3));
            switch (random.nextInt(12)) {
                case 0, 1 -> leaderLast++;
                case 2, 3, 4 -> {
                    if (m.durable < leaderLast && !(m.promised && lie != Lie.NO_GATE)) {
                        m.durable += 1 + random.nextLong(leaderLast - m.durable);
                    }
                }
                case 5, 6 -> {
                    if (!m.promised || lie == Lie.NO_GATE) {
                        int shown = lie == Lie.WIPED_MEMBER_COUNTS ? 0 : m.incarnation;
                        network.add(
                                new Message(
                                        new SiteAck(
                                                LINEAGE,
                                                OLD,
                                                m.durable,
                                                m.node,
                                                new UUID(0, shown),
                                                OLD),
                                        m,
                                        m.incarnation));
                    }
                }
                case 7, 8, 9 -> {
                    if (!network.isEmpty()) {
                        Message message = network.get(random.nextInt(network.size()));
                        if (random.nextInt(4) != 0) {
                            network.remove(message);
                        }
                        boolean counts =
                                book.enter(message.ack(), lie == Lie.NO_BARRIER ? -1 : leaderLast);
                        if (counts && message.incarnation() == message.from().incarnation) {
                            message.from().admitted = true;
                        }
                        everProtected = Math.max(everProtected, book.protectedIndex());
                    }
                }
                case 10 -> {
                    if (random.nextInt(4) == 0 && !promoted) {
                        m.durable = -1;
                        m.incarnation++;
                        m.admitted = lie == Lie.WIPED_MEMBER_COUNTS;
                    }
                }
                default -> {
                    int quorum = lie == Lie.READS_ONE ? 1 : 2;
                    List<Member> ready =
                            new ArrayList<>(members.stream().filter(x -> x.admitted).toList());
                    if (!promoted && step > 75 && ready.size() >= quorum) {
                        java.util.Collections.shuffle(ready, random);
                        for (Member reader : ready.subList(0, quorum)) {
                            reader.promised = true;
                            read = Math.max(read, reader.durable);
                        }
                        promoted = true;
                    }
                }
            }
            if (promoted && everProtected > read) {
                return true;
            }
        }
        return false;
    }

    private static int violations(Lie lie) {
        int count = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            if (violates(seed, lie)) {
                assertThat(lie).as("seed %d", seed).isNotEqualTo(Lie.NONE);
                count++;
            }
        }
        return count;
    }

    @Test
    void nothingProtectedIsEverLost() {
        assertThat(violations(Lie.NONE)).isZero();
    }

    @Test
    void eachRuleIsMissed() {
        for (Lie lie : Lie.values()) {
            if (lie != Lie.NONE) {
                assertThat(violations(lie)).as("without the rule: %s", lie).isPositive();
            }
        }
    }

    @Test
    void newEpochIsOutOfReach() {
        SiteAckBook book = new SiteAckBook(LINEAGE, OLD, Set.of("d1"), 1);
        book.enter(new SiteAck(LINEAGE, NEW, 5, "d1", new UUID(0, 0), NEW), -1);
        assertThat(book.protectedIndex()).isEqualTo(-1);
    }
}
