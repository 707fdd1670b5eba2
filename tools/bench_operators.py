"""What operators cost at 256 x 256, beside a call of a network of the size of CelebA-HQ's. Writes results/operators.jsonl: a row an operator, and one for the network.

Medians; all on the same threads in the same run, one picture of three channels."""
import statistics, time, warnings
from pathlib import Path

import torch
from fastcore.script import call_parse
from ddnm_nb.images import whole_file
from ddnm_nb.operators import AvgPool, FromFunction, Gray, Identity, Mask
from ddnm_nb.spectral import BlockCS, FFTBlur, HadamardCS, Separable, avg_matrix, bicubic_matrix, conv_matrix, gauss
from ddnm_nb.training import log_line, machine
from ddnm_nb.unet import UNet

N = 256
hole = (torch.rand(1, 1, N, N, generator=torch.Generator().manual_seed(0))>.3).float()
hand = torch.ones(5, 7).tril()/20
OPS = {'mask': lambda: Mask(hole), 'denoising': Identity, 'grey': Gray, 'pool 4': lambda: AvgPool(4),
       'pool 4, separable': lambda: Separable(avg_matrix(N, 4)), 'bicubic 4': lambda: Separable(bicubic_matrix(N, 4)),
       'uniform blur 9': lambda: Separable(conv_matrix(N, torch.ones(9)/9)), 'Gaussian blur 3': lambda: Separable(conv_matrix(N, gauss(3.), 'reflect')),
       'Gaussian blur 1 and 6': lambda: Separable(conv_matrix(N, gauss(1.), 'reflect'), conv_matrix(N, gauss(6.), 'reflect')),
       'any kernel': lambda: FFTBlur(hand, (N, N)), 'Hadamard': lambda: HadamardCS((N, N)), 'blocks of 16': lambda: BlockCS(16), 'blocks of 32': lambda: BlockCS(32),
       'pool 4 @ grey @ mask': lambda: AvgPool(4)@Gray()@Mask(hole), 'mask @ three-pixel blur': lambda: Mask(hole)@FFTBlur(torch.tensor([1.,4.,1.]).outer(torch.tensor([1.,4.,1.]))/36, (N, N)),
       'a function (every second line)': lambda: FromFunction(lambda x: (x+x.roll(1, -1))[...,::2,:]/2, (3, N, N))}

def seconds(f, rounds): # of one call, the median after one to warm up
    f()
    times = []
    for _ in range(rounds):
        start = time.perf_counter(); f()
        times.append(time.perf_counter()-start)
    return statistics.median(times)

@call_parse
def main(out:str=str(Path(__file__).parents[1]/'results'/'operators.jsonl'), # file to write
         rounds:int=5, # of each measurement
         calls:int=3): # of the network
    "Time every operator, and the network"
    x, common = torch.rand(1, 3, N, N, generator=torch.Generator().manual_seed(1))*2-1, dict(size=N, machine=machine(), torch=torch.__version__)
    net = UNet().eval().requires_grad_(False)
    one = seconds(lambda: net(x, torch.tensor([500])), calls)
    with whole_file(out) as path, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('always')
        log_line(path, what='network', name='CelebA-HQ size', parameters=sum(p.numel() for p in net.parameters()), seconds=one, **common)
        for name,make in OPS.items():
            A, told[:] = make(), []
            row = dict(what='operator', name=name, spectrum=hasattr(A, 'sv'), build=seconds(make, rounds), seconds=seconds(lambda: A.pinv(A(x)), rounds))
            row |= dict(share=row['seconds']/one, exact=not told)
            log_line(path, **row, **common)
            print(row, flush=True)
