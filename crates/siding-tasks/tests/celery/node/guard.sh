#!/bin/sh
# Runs a RabbitMQ of its own in a directory of its own, and does what it is told on its standard input: "start", "stop" as
# an operator does, "kill". When that input ends, nothing of it stays: whoever has started this may be gone without a word.
#
# Usage: guard.sh SERVER PORT, with free ports in DIST_PORT and ERL_EPMD_PORT.
set -u
server=$1 port=$2
directory=$(mktemp -d) || exit 1
epmd='' node=''

end() {
    kill -KILL $node $epmd 2>/dev/null
    # What the node was writing is gone once it is.
    wait
    rm -rf "$directory"
}
trap end EXIT
trap 'exit 1' TERM
# The terminal's, which are for whoever started this.
trap '' HUP INT

# Deliveries time out soon, and that is looked at often. Confirms and queues are as everywhere.
cat >"$directory/advanced.config" <<EOF
[{rabbit, [
    {tcp_listeners, [{"127.0.0.1", $port}]},
    {consumer_timeout, ${CONSUMER_TIMEOUT_MS}},
    {channel_tick_interval, 200}
]}].
EOF
echo '[].' >"$directory/enabled_plugins"

export HOME="$directory"
export ERL_EPMD_ADDRESS=127.0.0.1
export ERL_FLAGS='-kernel inet_dist_use_interface {127,0,0,1}'
export RABBITMQ_NODENAME="siding-test-$port@localhost"
export RABBITMQ_NODE_PORT="$port"
export RABBITMQ_DIST_PORT="$DIST_PORT"
export RABBITMQ_MNESIA_BASE="$directory/mnesia"
export RABBITMQ_LOG_BASE="$directory/log"
export RABBITMQ_CONF_ENV_FILE="$directory/none"
export RABBITMQ_CONFIG_FILE="$directory/none"
export RABBITMQ_ADVANCED_CONFIG_FILE="$directory/advanced.config"
export RABBITMQ_ENABLED_PLUGINS_FILE="$directory/enabled_plugins"
# The script becomes the server, so that its process id is the server's.
export RABBITMQ_ALLOW_INPUT=1

# The node would leave one behind.
epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT" >/dev/null 2>&1 </dev/null &
epmd=$!

while read -r order; do
    case $order in
        start)
            "$server" -noinput >>"$directory/said" 2>&1 </dev/null &
            node=$!
            ;;
        stop) kill -TERM "$node" ;;
        kill) kill -KILL "$node" ;;
    esac
    if [ "$order" != start ]; then
        wait "$node" 2>/dev/null
        node=''
    fi
    echo "$order"
done
