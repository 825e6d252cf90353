using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Faults;

/// <summary>A service that has things in availability zones.</summary>
internal interface IZonal
{
    /// <summary>A zone is lost: what runs in it stops, and what can fails over.</summary>
    void LoseZone(RequestContext context, string zone);

    /// <summary>The zone is back.</summary>
    void RegainZone(RequestContext context, string zone)
    {
    }
}
