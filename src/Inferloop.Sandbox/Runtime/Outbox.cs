namespace Inferloop.Sandbox.Runtime;

/// <summary>What would have been sent out, the last thousand of it.</summary>
internal sealed class Outbox
{
    private const int Capacity = 1000;
    private readonly Queue<SandboxDelivery> sent = new();

    public IReadOnlyList<SandboxDelivery> Sent
    {
        get
        {
            lock (sent)
            {
                return [.. sent];
            }
        }
    }

    public void Add(SandboxDelivery delivery)
    {
        lock (sent)
        {
            sent.Enqueue(delivery);
            while (sent.Count > Capacity)
            {
                sent.Dequeue();
            }
        }
    }
}
