BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../../Inferloop.psd1') -Force
    $estimate = New-InferloopEnvironmentSpec -Name demo -Stage Prod | Get-InferloopCostEstimate
}

Describe 'Get-InferloopCostEstimate' {
    It 'sums its lines' {
        $sum = ($estimate.Lines | Measure-Object -Property MonthlyExpected -Sum).Sum
        [math]::Round([decimal]$sum, 2) | Should -Be ([math]::Round($estimate.MonthlyExpected, 2))
    }

    It 'gives every line a price with a source and a date' {
        $estimate.Lines.Count | Should -BeGreaterThan 10
        $estimate.Lines | Where-Object { -not $_.PriceSource -or -not $_.PriceDate } | Should -BeNullOrEmpty
    }

    It 'costs more when there is more of it' {
        $more = New-InferloopEnvironmentSpec -Name demo -Stage Prod -MinimumTasks 6 | Get-InferloopCostEstimate
        $more.MonthlyExpected | Should -BeGreaterThan $estimate.MonthlyExpected
    }

    It 'reads well at 100 columns' {
        $text = $estimate | Out-String -Width 100
        ($text -split "`n" | Measure-Object -Property Length -Maximum).Maximum | Should -BeLessOrEqual 100
        $text | Should -Match 'Monthly +: [\d.]+ USD'
    }

    It 'borrows no price from another region' {
        $failure = { New-InferloopEnvironmentSpec -Name demo -Stage Prod -Region mx-central-1 | Get-InferloopCostEstimate } | Should -Throw -PassThru
        $failure.Exception.Message | Should -Match 'mx-central-1'
        $failure.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }
}
