package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.node.api.MoveView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.StepView;
import io.holdfast.node.rest.FakeNodeApi;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class MovesSentOnTest {
    private final MovesSentOn sent = new MovesSentOn();
    private final FakeNodeApi leader = new FakeNodeApi("l2", "ACTIVE", true);
    private final UUID operation = new UUID(5, 5);

    @Test
    void theLeaderTellsOfAMoveUntilItHasAnswered() {
        leader.steps = () -> List.of(new StepView("drain", 5, ""));
        List<Optional<MoveView>> seen = new ArrayList<>();
        leader.meanwhile =
                () -> {
                    seen.add(sent.look(operation));
                    seen.add(sent.look(new UUID(5, 6)));
                };
        Requests.Switchover move = new Requests.Switchover("dr", "ada", "", operation, null, null);
        assertThat(sent.sendOn(operation, leader, () -> leader.switchover(move)).to())
                .isEqualTo("dr");
        assertThat(seen.get(0).map(MoveView::steps)).contains(leader.steps.get());
        assertThat(seen.get(1)).isEmpty();
        assertThat(sent.look(operation)).isEmpty();
    }

    @Test
    void itIsForgottenWhenTheLeaderRefuses() {
        assertThatThrownBy(() ->
                        sent.sendOn(
                                operation,
                                leader,
                                () -> {
                                    throw new IllegalStateException("refused");
                                }))
                .hasMessage("refused");
        assertThat(sent.look(operation)).isEmpty();
        assertThat(sent.sendOn(null, leader, () -> "done")).isEqualTo("done");
    }
}
