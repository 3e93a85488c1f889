package io.holdfast.replication.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.LogPosition;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShipBookTest {
    private final ShipBook book = new ShipBook();

    private static LogPosition at(long offset) {
        return new LogPosition(1, offset);
    }

    private static ChunkId id(int n) {
        byte[] bytes = new byte[ChunkId.BYTES];
        bytes[0] = (byte) (n >> 8);
        bytes[1] = (byte) n;
        return ChunkId.of(bytes);
    }

    @Test
    void positionFollowsAcknowledgements() {
        book.mark(0, at(10)); // the peer had it
        book.mark(1, at(20));
        book.mark(1, at(30)); // the peer had the second
        book.mark(2, at(40));
        assertThat(book.position()).isEqualTo(LogPosition.START);
        book.durable(0);
        assertThat(book.position()).isEqualTo(at(10));
        book.durable(1);
        assertThat(book.position()).isEqualTo(at(30));
        book.reconnect();
        book.durable(9);
        assertThat(book.position()).isEqualTo(at(30));
    }

    @Test
    void problemsHoldTheFloorUntilTheyAreGone() {
        book.damaged(at(10), new ShipStatus.Damage(id(1), at(20), "flipped"));
        book.stuck(at(30), new ShipStatus.Unshipped(id(2), at(40), List.of(id(1))));
        book.mark(0, at(50));
        book.durable(0);
        assertThat(book.position()).isEqualTo(at(50));
        assertThat(book.floor()).isEqualTo(at(10));
        assertThat(book.problems()).isEqualTo(2);

        book.mark(0, at(20)); // a second walk, from the floor, does not take the position back
        book.durable(0);
        assertThat(book.position()).isEqualTo(at(50));
        book.held(id(1));
        assertThat(book.floor()).isEqualTo(at(30));
        assertThat(book.committed(id(2))).isTrue();
        assertThat(book.committed(id(2))).isFalse();
        assertThat(book.floor()).isEqualTo(at(50));
        assertThat(book.piecesCommitted()).isEqualTo(1);
    }

    @Test
    void listsAreBoundedAndWhatIsNotListedStillHoldsTheFloor() {
        for (int i = 0; i < ShipBook.MAX_LISTED + 5; i++) {
            book.damaged(
                    at(i < ShipBook.MAX_LISTED ? 100 : 50),
                    new ShipStatus.Damage(id(i), at(200), "x"));
        }
        book.mark(0, at(300));
        book.durable(0);
        assertThat(book.damageList()).hasSize(ShipBook.MAX_LISTED);
        for (int i = 0; i < ShipBook.MAX_LISTED; i++) {
            book.held(id(i));
        }
        assertThat(book.floor()).isEqualTo(at(50));
        book.begin(LogPosition.START);
        assertThat(book.problems()).isZero();
    }
}
